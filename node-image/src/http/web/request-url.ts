import type { IncomingMessage } from 'node:http';

const HOST = /^(?:\[[A-Fa-f0-9:.]+\]|(?:[A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+|(?:\d{1,3}\.){3}\d{1,3})(?::\d{1,5})?$/;

/** A path and query that `URL` does not change. */
const PLAIN = /^\/[!$&(-;=?-Z_a-z~]*$/;
const DOTS = /\/\.\.?(?:[/?]|$)/;

/** The most hosts whose origins are kept. */
const MAX_HOSTS = 256;
const origins = new Map<string, string>();
let last = { host: '', origin: '' };

/**
 * The URL of a request, as `URL` writes it.
 *
 * @param path the target that the module sees; it begins with a slash.
 * @throws TypeError when the request names a host that can't be one (RFC 9112, 3.2: a 400).
 */
export function urlOf(incoming: IncomingMessage, path: string): string {
  const url = originOf(incoming) + path;
  return PLAIN.test(path) && !DOTS.test(path) ? url : new URL(url).href;
}

function originOf({ url = '', headers, socket }: IncomingMessage): string {
  // A target with a host has precedence (RFC 9112, 3.2.2).
  const host = url.startsWith('/') ? headers.host || localHost(socket) : (hostIn(url) ?? headers.host ?? '');
  // Each request has a string of its own, which a map would have to hash.
  if (host !== last.host) last = { host, origin: knownOrigin(host) };
  return last.origin;
}

function knownOrigin(host: string): string {
  const known = origins.get(host);
  if (known !== undefined) return known;
  if (!HOST.test(host) || !URL.canParse(`http://${host}/`)) throw new TypeError('the host of the request is not valid');
  const { origin } = new URL(`http://${host}/`);
  if (origins.size >= MAX_HOSTS) origins.clear();
  origins.set(host, origin);
  return origin;
}

/** The host in an absolute target, `http://fred:8080/web/`. */
function hostIn(target: string): string | null {
  return /^https?:\/\/([^/?#]*)/i.exec(target)?.[1] ?? null;
}

function localHost({ localAddress = '', localPort }: IncomingMessage['socket']): string {
  // An IPv4 address of a socket for both.
  const address = localAddress.replace(/^::ffff:(?=[\d.]+$)/, '');
  return `${address.includes(':') ? `[${address}]` : address}:${localPort}`;
}
