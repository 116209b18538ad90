import type { IncomingMessage } from 'node:http';

const HOST = /^(?:\[[A-Fa-f0-9:.]+\]|(?:[A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+|(?:\d{1,3}\.){3}\d{1,3})(?::\d{1,5})?$/;

/** A path and query that `URL` does not change. */
const PLAIN = /^\/[!$&(-;=?-Z_a-z~]*$/;
const DOTS = /\/\.\.?(?:[/?]|$)/;

/** The most hosts whose origins are kept. */
const MAX_HOSTS = 256;
const origins = new Map<string, string>();
let last = { host: '', origin: '' };

/** The URL of a request, as `URL` writes it. @param path the target that the module sees; it begins with a slash. */
export function urlOf(incoming: IncomingMessage, path: string): string {
  const url = originOf(incoming) + path;
  return PLAIN.test(path) && !DOTS.test(path) ? url : new URL(url).href;
}

function originOf({ headers, socket }: IncomingMessage): string {
  const host = headers.host || localHost(socket);
  // Each request has a string of its own, which a map would have to hash.
  if (host !== last.host) last = { host, origin: knownOrigin(host) };
  return last.origin;
}

function knownOrigin(host: string): string {
  const known = origins.get(host);
  if (known !== undefined) return known;
  // The URL has to have a host, and this one can't be one.
  const { origin } = new URL(
    HOST.test(host) && URL.canParse(`http://${host}/`) ? `http://${host}/` : 'http://_invalid_/',
  );
  if (origins.size >= MAX_HOSTS) origins.clear();
  origins.set(host, origin);
  return origin;
}

function localHost({ localAddress = '', localPort }: IncomingMessage['socket']): string {
  // An IPv4 address of a socket for both.
  const address = localAddress.replace(/^::ffff:(?=[\d.]+$)/, '');
  return `${address.includes(':') ? `[${address}]` : address}:${localPort}`;
}
