import { isFailedStatus } from '../sandbox/failed-status.ts';
import { Exchange, type ExchangeDeps, type Target } from './exchange.ts';
import { isPromise } from './is-promise.ts';
import type { FetchHandler } from './module-handler.ts';
import { isSent, sendParts, sendResponse, sendText } from './send-response.ts';
import { IncomingRequest } from './web/incoming-request.ts';
import { linkWebClasses } from './web/install.ts';
import { partsOf } from './web/module-response.ts';

/**
 * Answers a request with what `fetch` of its module returns. What is answered and sent at once is no call that a swap has to
 * wait for: it is only counted.
 *
 * @param path the target that the module sees.
 * @param url as the client sent it.
 */
export function serveFetch(
  deps: ExchangeDeps,
  target: Target,
  { fetch, exported }: FetchHandler,
  path: string,
  url: string,
): void {
  const { codeServer } = deps;
  const { version, incoming, outgoing, headers } = target;
  linkWebClasses();
  let request: IncomingRequest;
  try {
    request = new IncomingRequest(incoming, version.module, path);
  } catch (error) {
    return sendText(outgoing, 400, error instanceof Error ? error.message : 'bad request', headers);
  }
  const startedAt = codeServer.startOfCall();
  let exchange: FetchExchange | null = null;
  const begin = (): FetchExchange => {
    exchange ??= new FetchExchange(deps, target, url, request);
    exchange.call.startedAt = startedAt;
    return exchange;
  };
  const mayHaveBody = IncomingRequest.mayHaveBody(request);
  if (!mayHaveBody) IncomingRequest.endWithoutBody(request);
  try {
    const returned = target.isObserved
      ? codeServer.run(version, null, () => Reflect.apply(fetch, exported, [request]))
      : codeServer.serve(version, fetch, exported, request);
    const parts = partsOf(returned);
    if (parts === null) return begin().answer(returned);
    sendParts(outgoing, parts, headers);
    if (mayHaveBody || !isSent(outgoing)) return begin().settle();
    const failed = isFailedStatus(outgoing.statusCode);
    if (failed) codeServer.errors.keepFailedResponse({ version, method: incoming.method ?? 'GET', target: url });
    codeServer.countCall(version, failed, startedAt, outgoing.statusCode);
  } catch (error) {
    begin().fail(error);
  }
}

class FetchExchange extends Exchange {
  readonly #request: IncomingRequest;

  constructor(deps: ExchangeDeps, target: Target, url: string, request: IncomingRequest) {
    super(deps, target, url);
    this.#request = request;
  }

  /** @param returned what `fetch` has returned: a promise, or a response that is not ours. */
  answer(returned: unknown): void {
    if (!isPromise(returned)) return this.#send(returned);
    returned.then(
      value => this.#send(value),
      (error: unknown) => this.fail(error),
    );
  }

  override closed(): void {
    IncomingRequest.drain(this.#request);
    super.closed();
  }

  protected override clientGone(): void {
    IncomingRequest.abort(this.#request);
  }

  #send(value: unknown): void {
    const { outgoing, headers } = this.target;
    try {
      this.call.returned();
      const sending = sendResponse(outgoing, value, headers);
      if (sending === null) return this.settle();
      sending.then(
        () => this.settle(),
        (error: unknown) => this.fail(error),
      );
    } catch (error) {
      this.fail(error);
    }
  }
}
