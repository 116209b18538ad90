import { Writable } from 'node:stream';
import { pino } from 'pino';

/** A destination, and a transport: a worker thread that reads its own file. */
export async function check() {
  let line = '';
  const sink = new Writable({
    write(chunk, _, done) {
      line += String(chunk);
      done();
    },
  });
  const log = pino({ base: null, timestamp: false, redact: ['password'] }, sink);
  log.child({ request: 7 }).warn({ password: 'x', user: 'Ada' }, 'hello %s', 'world');
  return JSON.parse(line) as unknown;
}
