import bunyan from 'bunyan';

export function check() {
  const ring = new bunyan.RingBuffer({ limit: 2 });
  const log = bunyan.createLogger({ name: 'shop', streams: [{ type: 'raw', stream: ring }] });
  for (const number of [1, 2, 3]) log.info({ number }, 'hello %d', number);
  return ring.records.map((record: { msg: string; number: number }) => [record.msg, record.number]);
}
