import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';

/** A transport is a worker thread that runs files of pino. */
export async function check() {
  const destination = join(mkdtempSync(join(tmpdir(), 'pino-')), 'log');
  const transport = pino.transport({ target: 'pino/file', options: { destination } });
  await once(transport, 'ready');
  pino({ base: null, timestamp: false }, transport).info('hello');
  transport.end();
  await once(transport, 'close');
  return JSON.parse(readFileSync(destination, 'utf8')) as unknown;
}
