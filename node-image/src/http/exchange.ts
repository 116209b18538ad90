import type { IncomingMessage, ServerResponse } from 'node:http';

import type { CodeServer } from '../modules/code-server.ts';
import type { Call } from '../modules/in-flight-calls.ts';
import type { Version } from '../modules/version.ts';
import { isFailedStatus } from '../sandbox/failed-status.ts';
import { sendText } from './send-response.ts';

export interface ExchangeDeps {
  readonly node: string;
  readonly codeServer: CodeServer;
}

/** A request to a module, and where its response goes. */
export interface Target {
  readonly version: Version;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** The headers of every response, names and values in turns. */
  readonly headers: readonly string[];
}

/**
 * One request as a call of the version that answers it. The call ends when the answer is {@link settle}d, and the response is
 * sent or the client has disconnected. A forced purge of the version closes the connection.
 */
export class Exchange {
  readonly target: Target;
  readonly call: Call;
  readonly #deps: ExchangeDeps;
  readonly #onGone: () => void;
  #hasFailed = false;
  #isSettled = false;
  #isClosed = false;

  /**
   * @param url as the client sent it: `/demo/events?…`.
   * @param onGone is called when the client has disconnected before it had the response.
   */
  constructor(deps: ExchangeDeps, target: Target, url: string, onGone: () => void = () => undefined) {
    this.#deps = deps;
    this.target = target;
    this.#onGone = onGone;
    this.call = deps.codeServer.beginCall(target.version, target.incoming.method ?? 'GET', url);
    // The module can end its streams on the same signal, in this turn of the event loop.
    // A function that is assigned to a property where it is written would be made in the old space, and would keep the request
    // until a full collection.
    const cut = (): void => void setImmediate(() => this.#cut());
    this.call.onPurged = cut;
    target.outgoing.on('close', () => this.#close());
  }

  /** Runs code of the version. */
  run<T>(body: () => T): T {
    return this.#deps.codeServer.run(this.target.version, null, body);
  }

  /** The module has done its part: its response is on its way. */
  settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
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
        const text = `module ${version.module} failed on node ${this.#deps.node}; its log says why`;
        sendText(outgoing, 500, text, headers);
      }
    }
    this.settle();
  }

  #cut(): void {
    const { outgoing } = this.target;
    if (!outgoing.writableEnded) outgoing.destroy();
    this.settle();
  }

  #close(): void {
    this.#isClosed = true;
    if (!this.target.outgoing.writableFinished) this.#onGone();
    if (this.#isSettled) this.#end();
  }

  #end(): void {
    const { errored, statusCode } = this.target.outgoing;
    const hasErrored = errored !== null && errored !== undefined;
    // A body that failed half-way has closed the connection.
    if (hasErrored && !this.#hasFailed) this.#report(errored);
    const failed = this.#hasFailed || hasErrored || isFailedStatus(statusCode);
    this.#deps.codeServer.endCall(this.call, failed, statusCode);
  }

  #report(error: unknown): void {
    const { codeServer } = this.#deps;
    this.target.version.log.error(() => codeServer.errors.describe(error), 'error in a request');
  }
}
