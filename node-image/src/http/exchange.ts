import type { CodeServer } from '../modules/code-server.ts';
import type { Call, PurgeListener } from '../modules/in-flight-calls.ts';
import type { Version } from '../modules/version.ts';
import { isFailedStatus } from '../sandbox/failed-status.ts';
import { sendText } from './send-response.ts';
import type { Incoming } from './web/incoming-message.ts';
import { ServerResponse } from './web/node-http.ts';

export interface ExchangeDeps {
  readonly node: string;
  readonly codeServer: CodeServer;
}

/** The response of the node's server. */
export class Outgoing extends ServerResponse<Incoming> {
  /** What it is the response of; null when no module is asked. A field of its own takes less than a listener. */
  exchange: Exchange | null = null;
}

/** A request to a module, and where its response goes. */
export interface Target {
  readonly version: Version;
  readonly incoming: Incoming;
  readonly outgoing: Outgoing;
  /** The headers of every response, names and values in turns. */
  readonly headers: readonly string[];
  /** See {@link isObserved}. */
  readonly isObserved: boolean;
}

/**
 * One request as a call of the version that answers it. The call ends when the answer is {@link settle}d, and the response is
 * sent or the client has disconnected. A forced purge of the version closes the connection.
 *
 * There is one for each request, so it makes no functions of its own.
 */
export class Exchange implements PurgeListener {
  readonly target: Target;
  readonly call: Call;
  protected readonly deps: ExchangeDeps;
  #hasFailed = false;
  #isSettled = false;
  #isClosed = false;

  /** @param url as the client sent it: `/demo/events?…`. */
  constructor(deps: ExchangeDeps, target: Target, url: string) {
    this.deps = deps;
    this.target = target;
    this.call = deps.codeServer.beginCall(target.version, target.incoming.method ?? 'GET', url);
    this.call.listener = this;
    target.outgoing.exchange = this;
  }

  /** The module has done its part: its response is on its way. */
  settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.call.returned();
    if (this.#isClosed) this.#end();
  }

  /** What the module has thrown is answered with 500, and reported. */
  fail(error: unknown): void {
    const { version, incoming, outgoing, headers } = this.target;
    // A request without its client can fail; this is no error of the module. Nor is what it does after a purge.
    if (!this.#isSettled && !outgoing.destroyed && incoming.errored === null) {
      this.#hasFailed = true;
      this.#report(error);
      if (outgoing.headersSent && !outgoing.writableEnded) outgoing.destroy();
      else if (!outgoing.headersSent) {
        const text = `module ${version.module} failed on node ${this.deps.node}; its log says why`;
        sendText(outgoing, 500, text, headers);
      }
    }
    this.settle();
  }

  purged(): void {
    // The module can end its streams on the same signal, in this turn of the event loop.
    setImmediate(() => this.#cut());
  }

  /** The response is sent, or its connection is closed. */
  closed(): void {
    this.#isClosed = true;
    if (!this.target.outgoing.writableFinished) this.clientGone();
    if (this.#isSettled) this.#end();
  }

  /** The client has disconnected before it had the response. */
  protected clientGone(): void {
    // Only who waits for it needs to know.
  }

  #cut(): void {
    const { outgoing } = this.target;
    if (!outgoing.writableEnded) outgoing.destroy();
    this.settle();
  }

  #end(): void {
    const { errored, statusCode } = this.target.outgoing;
    const hasErrored = errored !== null && errored !== undefined;
    // A body that failed half-way has closed the connection.
    if (hasErrored && !this.#hasFailed) this.#report(errored);
    const isReported = this.#hasFailed || hasErrored;
    const toldFailure = !isReported && isFailedStatus(statusCode);
    if (toldFailure) this.deps.codeServer.errors.keepFailedResponse(this.call);
    this.deps.codeServer.endCall(this.call, isReported || toldFailure, statusCode);
  }

  #report(error: unknown): void {
    const { codeServer } = this.deps;
    this.target.version.log.error(() => codeServer.errors.describe(error), 'error in a request');
  }
}
