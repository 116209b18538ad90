import type { IncomingMessage, ServerResponse } from 'node:http';

/** The header that names the part of the path which the module does not see, for who makes links: `/web`. */
export const PREFIX = 'x-forwarded-prefix';

/**
 * What a module's `fetch` gets. It is a real `Request`: with the look-alikes that adapters use for speed, a module can't
 * say `fetch(request)` or `new Request(request)`. Its signal aborts when the client goes away before it is answered. srvx is
 * loaded by the first request: it has Node.js load its own `fetch`, which an idle node does not need.
 *
 * @param path what the module sees as the request's target.
 * @throws TypeError (rejects) for what HTTP allows and `Request` does not, such as the method TRACE.
 */
export async function createRequest(
  incoming: IncomingMessage,
  module: string,
  path: string,
  outgoing?: ServerResponse,
): Promise<Request> {
  const { NodeRequest } = await import('srvx/node');
  incoming.url = path;
  const lazy = new NodeRequest({ req: incoming, ...(outgoing === undefined ? {} : { res: outgoing }) });
  const request = lazy._request ?? lazy;
  request.headers.set(PREFIX, `/${module}`);
  return request;
}
