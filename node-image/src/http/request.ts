import type { IncomingMessage, ServerResponse } from 'node:http';

/** The header with the part of the path that is removed for the module, for absolute links: `/web`. */
export const PREFIX_HEADER = 'x-forwarded-prefix';

/**
 * Creates the request for a module's `fetch`. It is a real `Request`: the faster imitations of adapters do not work in
 * `fetch(request)` and `new Request(request)`. Its signal aborts when the client disconnects before the response. srvx is
 * loaded by the first request: it makes Node.js load its own `fetch`, which an idle node does not need.
 *
 * @param path the target that the module sees.
 * @throws TypeError (rejects) for a request that HTTP allows and `Request` does not, such as the method TRACE.
 */
export async function createRequest(
  incoming: IncomingMessage,
  module: string,
  path: string,
  outgoing?: ServerResponse,
): Promise<Request> {
  const { NodeRequest } = await import('srvx/node');
  removeModule(incoming, module, path);
  const lazy = new NodeRequest({ req: incoming, ...(outgoing === undefined ? {} : { res: outgoing }) });
  const request = lazy._request ?? lazy;
  request.headers.set(PREFIX_HEADER, `/${module}`);
  return request;
}

/** Gives a request the target that its module sees, and the rest of it in a header. */
export function removeModule(incoming: IncomingMessage, module: string, path: string): void {
  incoming.url = path;
  incoming.headers[PREFIX_HEADER] = `/${module}`;
}
