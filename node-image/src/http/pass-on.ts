import { runEvents } from '../sandbox/run-events.ts';
import { Exchange, type ExchangeDeps, type Target } from './exchange.ts';
import { callListeners, type ServerHandler } from './module-server.ts';
import { removeModule } from './request.ts';

/**
 * Has the server of a module answer a request. Its call ends with the response, whatever the server does then.
 *
 * @param path the target that the module sees.
 * @param url as the client sent it.
 */
export async function passOn(
  deps: ExchangeDeps,
  target: Target,
  { server, ready }: ServerHandler,
  path: string,
  url: string,
): Promise<void> {
  const { version, incoming, outgoing, headers } = target;
  const closed = new Promise<void>(resolve => void outgoing.once('close', resolve));
  removeModule(incoming, version.module, path);
  for (let i = 0; i < headers.length; i += 2) outgoing.setHeader(headers[i] ?? '', headers[i + 1] ?? '');
  const exchange = new Exchange(deps, target, url);
  const run = <T>(body: () => T): T => deps.codeServer.run(version, null, body);
  try {
    await run(ready);
    if (!outgoing.destroyed) {
      for (const emitter of [incoming, outgoing]) runEvents(emitter, run);
      const handled = run(() => callListeners(server, 'request', incoming, outgoing));
      await Promise.race([handled.then(() => closed), closed]);
      if (outgoing.writableFinished) handled.catch((error: unknown) => deps.codeServer.errors.count(version, error));
    }
    exchange.settle();
  } catch (error) {
    exchange.fail(error);
  }
}
