import debug from 'debug';

export function check() {
  const lines: string[] = [];
  debug.enable('shop:*,-shop:secret');
  for (const name of ['shop:http', 'shop:secret', 'other']) {
    const log = debug(name);
    log.log = (...parts: unknown[]) => void lines.push(String(parts[0]).replace(/.*shop/, 'shop'));
    log('hello %s', 'Ada');
  }
  return lines.map(line => /shop:\w+/.exec(line)?.[0]);
}
