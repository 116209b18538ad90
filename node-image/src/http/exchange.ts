import type { IncomingMessage, ServerResponse } from 'node:http';

import type { CodeServer } from '../modules/code-server.ts';
import type { Version } from '../modules/version.ts';
import { isFailedStatus } from '../sandbox/failed-status.ts';
import { runEvents } from '../sandbox/run-events.ts';
import type { FetchHandler } from './module-handler.ts';
import { callListeners, type ServerHandler } from './module-server.ts';
import { createRequest, removeModule } from './request.ts';
import { responseOf } from './response-of.ts';
import { sendResponse, sendText } from './send-response.ts';

/** One request to a module, and its response. */
export interface Exchange {
  readonly version: Version;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** As the client sent it: `/demo/events?…`. */
  readonly url: string;
}

/** Runs requests as calls of the versions that answer them. */
export function exchanges({ node, codeServer }: { readonly node: string; readonly codeServer: CodeServer }) {
  const report = ({ log }: Version, error: unknown): void =>
    log.error(() => codeServer.errors.describe(error), 'error in a request');

  const attempt = async (exchange: Exchange, respond: () => Promise<void>): Promise<'sent' | 'failed'> => {
    const { version, incoming, outgoing } = exchange;
    try {
      await respond();
      return 'sent';
    } catch (error) {
      // A request without its client can fail; this is no error of the module.
      if (outgoing.destroyed || incoming.errored !== null) return 'sent';
      report(version, error);
      if (outgoing.headersSent && !outgoing.writableEnded) outgoing.destroy();
      else if (!outgoing.headersSent)
        sendText(outgoing, 500, `module ${version.module} failed on node ${node}; its log says why`);
      return 'failed';
    }
  };

  /**
   * The call ends when `respond` has ended, and the response is sent or the client has disconnected. A forced purge of the
   * version closes the connection.
   */
  const serve = async (
    exchange: Exchange,
    respond: (onReturned: () => void, closed: Promise<void>) => Promise<void>,
  ): Promise<void> => {
    const { version, incoming, outgoing, url } = exchange;
    const { signal } = version.lifetime;
    const closed = new Promise<void>(resolve => void outgoing.once('close', resolve));
    const call = codeServer.beginCall(version, incoming.method ?? 'GET', url);
    let onAbort = (): void => undefined;
    // The module can end its streams on the same signal, in this turn of the event loop.
    const purged = new Promise<null>(resolve => (onAbort = () => void setImmediate(resolve, null)));
    signal.addEventListener('abort', onAbort, { once: true });
    const responding = attempt(exchange, () => respond(() => codeServer.returned(call), closed));
    const outcome = await Promise.race([responding, purged]);
    if (outcome === null && !outgoing.writableEnded) outgoing.destroy();
    await closed;
    signal.removeEventListener('abort', onAbort);
    // A body that failed half-way has closed the connection.
    if (outcome === 'sent' && outgoing.errored !== null) report(version, outgoing.errored);
    const failed = outcome === 'failed' || outgoing.errored !== null || isFailedStatus(outgoing.statusCode);
    codeServer.endCall(call, failed);
  };

  return {
    /** Answers a request with what `fetch` returns for it. */
    fetch: (exchange: Exchange, handler: FetchHandler, path: string): Promise<void> => {
      const { version, incoming, outgoing } = exchange;
      // The call has begun: the version that was chosen stays until the request is made.
      return serve(exchange, async onReturned => {
        let request: Request;
        try {
          request = await createRequest(incoming, version.module, path, outgoing);
        } catch (error) {
          return sendText(outgoing, 400, error instanceof Error ? error.message : 'bad request');
        }
        if (outgoing.destroyed) return;
        // The unread part of an upload would block the next request of the connection.
        outgoing.once('finish', () => {
          if (!request.bodyUsed && !incoming.readableEnded) incoming.removeAllListeners('data').resume();
        });
        const returned = await codeServer.run(version, null, () => handler.fetch(request));
        onReturned();
        const response = responseOf(returned);
        if (response === null) throw new TypeError('fetch returned no Response');
        await sendResponse(outgoing, response);
      });
    },

    /** Has the server of a module answer a request. Its call ends with the response, whatever the server does then. */
    passOn: (exchange: Exchange, { server, ready }: ServerHandler, path: string): Promise<void> => {
      const { version, incoming, outgoing } = exchange;
      const run = <T>(body: () => T): T => codeServer.run(version, null, body);
      removeModule(incoming, version.module, path);
      return serve(exchange, async (_, closed) => {
        await run(ready);
        if (outgoing.destroyed) return;
        for (const emitter of [incoming, outgoing]) runEvents(emitter, run);
        const handled = run(() => callListeners(server, 'request', incoming, outgoing));
        await Promise.race([handled.then(() => closed), closed]);
        if (outgoing.writableFinished) handled.catch((error: unknown) => codeServer.errors.count(version, error));
      });
    },
  };
}
