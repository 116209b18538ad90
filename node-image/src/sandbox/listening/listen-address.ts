import type { ListenOptions } from 'node:net';

import { hostAddress } from './host-address.ts';

/** Where a server is to listen, and what `listen()` got with it. */
export interface ListenAddress {
  readonly options: ListenOptions;
  /** The key of the port: the same for the same address and port, or for the same path. */
  readonly key: string;
  readonly onListening: (() => void) | null;
}

/**
 * Reads the arguments of `server.listen()` as Node.js does (net.Server#listen). The host is an address, unless only DNS knows it.
 *
 * @returns null for arguments that only Node.js handles: a handle, a file descriptor, and invalid ones, for which it throws.
 */
export function listenAddress(args: readonly unknown[]): ListenAddress | null {
  const [first, ...rest] = args;
  const last = args.at(-1);
  const onListening = typeof last === 'function' ? (last as () => void) : null;
  const options = typeof first === 'object' && first !== null ? { ...first } : positional(first, rest);
  if ('fd' in options || '_handle' in options || 'handle' in options) return null;
  const { path, host } = options;
  const port = 'port' in options && isPort(options.port) ? Number(options.port) : undefined;
  if (!('port' in options) && typeof path === 'string') return { options, key: path, onListening };
  if (port === undefined || (host !== undefined && typeof host !== 'string')) return null;
  const address = host === undefined ? {} : { host: hostAddress(host) };
  return { options: { ...options, port, ...address }, key: `${address.host ?? '*'}:${port}`, onListening };
}

function positional(first: unknown, rest: readonly unknown[]): ListenOptions {
  const backlog = rest.slice(0, 2).map(Number).find(Boolean);
  const more = backlog === undefined ? {} : { backlog };
  if (typeof first === 'string' && !isPort(first)) return { path: first, ...more };
  const [host] = rest;
  const port = (typeof first === 'function' ? 0 : (first ?? 0)) as number;
  return { port, ...(typeof host === 'string' ? { host } : {}), ...more };
}

function isPort(port: unknown): boolean {
  if (typeof port !== 'number' && (typeof port !== 'string' || port.trim() === '')) return false;
  return Number.isInteger(Number(port)) && Number(port) >= 0 && Number(port) < 2 ** 16;
}
