import type { IncomingMessage, ServerResponse } from 'node:http';

import { NodeRequest } from 'srvx/node';

/** The header that names the part of the path which the module does not see, for who makes links: `/web`. */
export const PREFIX = 'x-forwarded-prefix';

/**
 * What a module's `fetch` gets. It is a real `Request`: with the look-alikes that adapters use for speed, a module can't
 * say `fetch(request)` or `new Request(request)`. Its signal aborts when the client goes away before it is answered.
 *
 * @param path what the module sees as the request's target.
 * @throws TypeError for what HTTP allows and `Request` does not, such as the method TRACE.
 */
export function webRequest(
  incoming: IncomingMessage,
  module: string,
  path: string,
  outgoing?: ServerResponse,
): Request {
  incoming.url = path;
  const lazy = new NodeRequest({ req: incoming, ...(outgoing === undefined ? {} : { res: outgoing }) });
  const request = lazy._request ?? lazy;
  request.headers.set(PREFIX, `/${module}`);
  return request;
}
