import { Exchange, type ExchangeDeps, type Target } from './exchange.ts';
import type { FetchHandler } from './module-handler.ts';
import { responseOf } from './response-of.ts';
import { sendResponse, sendText } from './send-response.ts';
import { IncomingRequest } from './web/incoming-request.ts';
import { linkWebClasses } from './web/install.ts';

/**
 * Answers a request with what `fetch` of its module returns. What is answered at once is sent in this turn of the event loop,
 * without a promise.
 *
 * @param path the target that the module sees.
 * @param url as the client sent it.
 */
export function serveFetch(
  deps: ExchangeDeps,
  target: Target,
  { fetch }: FetchHandler,
  { path, url }: { readonly path: string; readonly url: string },
): void {
  const { version, incoming, outgoing, headers } = target;
  linkWebClasses();
  let request: IncomingRequest;
  try {
    request = new IncomingRequest(incoming, version.module, path);
  } catch (error) {
    return sendText(outgoing, 400, error instanceof Error ? error.message : 'bad request', headers);
  }
  const exchange = new Exchange(deps, target, url, () => IncomingRequest.abort(request));
  const fail = (error: unknown): void => exchange.fail(error);
  const send = (value: unknown): void => {
    try {
      exchange.call.returned();
      const response = responseOf(value);
      if (response === null) throw new TypeError('fetch returned no Response');
      const sending = sendResponse(outgoing, response, headers);
      if (sending !== null) return void sending.then(() => exchange.settle(), fail);
      exchange.settle();
    } catch (error) {
      fail(error);
    }
  };
  // The unread part of an upload would block the next request of the connection. Node.js resumes what nobody has read.
  if (IncomingRequest.mayHaveBody(request)) {
    outgoing.on('finish', () => {
      if (!request.bodyUsed && !incoming.readableEnded) incoming.removeAllListeners('data').resume();
    });
  }
  try {
    const returned = exchange.run(() => fetch(request as unknown as Request));
    if (isPromise(returned)) returned.then(send, fail);
    else send(returned);
  } catch (error) {
    fail(error);
  }
}

/** A promise of a package too. */
function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function';
}
