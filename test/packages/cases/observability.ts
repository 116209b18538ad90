import { type PackageCase, works } from '../package-case.ts';

export const OBSERVABILITY: readonly PackageCase[] = [
  works('bunyan', 'a ring buffer', [
    ['hello 2', 2],
    ['hello 3', 3],
  ]),
  works('debug', 'enabled names', ['shop:http']),
  works(['opentelemetry', '@opentelemetry/sdk-trace-base'], 'a span in a span', [
    { name: 'pay', status: 2, isChild: true },
    { name: 'order', status: 0, isChild: false },
  ]),
  works('pino', 'a child logger with redaction', {
    level: 40,
    request: 7,
    password: '[Redacted]',
    user: 'Ada',
    msg: 'hello world',
  }),
  works(['pino-transport', 'pino'], 'a transport, in a worker thread', { level: 30, msg: 'hello' }),
  works('prom-client', 'a counter that a new version finds again', [
    '# HELP shop_orders_total Orders',
    '# TYPE shop_orders_total counter',
    'shop_orders_total 2',
  ]),
  works('winston', 'formats and a transport', [{ level: 'info', message: 'hello Ada', request: 7 }]),
];
