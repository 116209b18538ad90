import { Writable } from 'node:stream';
import winston from 'winston';

export function check() {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk).trim());
      done();
    },
  });
  const { combine, json, splat } = winston.format;
  const log = winston.createLogger({
    format: combine(splat(), json()),
    transports: [new winston.transports.Stream({ stream })],
  });
  log.child({ request: 7 }).info('hello %s', 'Ada');
  log.debug('not shown');
  log.close();
  return lines.map(line => JSON.parse(line) as unknown);
}
