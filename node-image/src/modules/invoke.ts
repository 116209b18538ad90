import { MAX_VALUE_BYTES } from '../../../protocol/limits.ts';
import type { CallAnswer, CallFailure, CallRequest } from '../../../protocol/messages.ts';
import { type EncodedValue, encodeValue } from '../../../protocol/values/encode.ts';
import type { CodeServer } from './code-server.ts';
import { collectStream, isStream } from './collect-stream.ts';
import { findMethod, type Method } from './find-method.ts';
import { UndefError } from './hot-imports.ts';
import { PurgedError } from './in-flight-calls.ts';

/**
 * Calls an exported function, or a method of an exported object, on the current version and waits for its value. The call
 * stays on this version across every await, even if another version is loaded meanwhile. The value of a stream is the array
 * of its items.
 *
 * @param request the call, with its arguments decoded.
 */
export async function call(codeServer: CodeServer, node: string, request: CallRequest): Promise<CallAnswer> {
  const output: string[] = [];
  const printing = { lines: output, id: request.id, traceparent: request.traceparent };
  const failed = (failure: CallFailure, type: string, message: string) =>
    ({ status: 'error', node, failure, type, message, output }) satisfies CallAnswer;
  const undef = (what: string): CallAnswer => failed('undef', 'undef', `${what} on node ${node}`);
  const thrown = (error: unknown): CallAnswer => {
    if (error instanceof UndefError) return undef(error.message);
    if (error instanceof PurgedError) return failed('exception', 'purged', error.message);
    return { ...failed('exception', '', ''), ...codeServer.errors.describe(error) };
  };

  const resumed = codeServer.suspensions.untilResumed(request.module);
  if (resumed !== null) await resumed;
  const path = [request.function, ...(request.path ?? [])];
  const version = codeServer.current(request.module);
  if (version === null) return undef(`module ${request.module} is not loaded`);
  let found: Method | null;
  try {
    found = codeServer.run(version, printing, () => findMethod(version.exports, path));
  } catch (error) {
    return thrown(error);
  }
  if (found === null) return undef(`module ${request.module} exports no function ${path.join('.')}`);

  const { owner, method } = found;
  const running = codeServer.beginCall(version, null, path.join('.'));
  const { printers } = codeServer.errors;
  const encoded = (returned: unknown): EncodedValue | Promise<EncodedValue> => {
    codeServer.returned(running);
    if (isStream(returned)) return collectStream(returned, version.lifetime.signal, printers);
    return encodeValue(returned, MAX_VALUE_BYTES, printers);
  };
  const settled = async (returned: PromiseLike<unknown>): Promise<EncodedValue> => encoded(await returned);
  let threw = false;
  try {
    const value = codeServer.run(version, printing, () => {
      const returned: unknown = Reflect.apply(method, owner, request.args);
      return isThenable(returned) ? settled(returned) : encoded(returned);
    });
    // A version is not purged while a function runs that returns no promise.
    const result = value instanceof Promise ? await Promise.race([value, running.purged]) : value;
    if (!result.ok) return failed('badvalue', 'badvalue', result.detail);
    const json = result.json === undefined ? {} : { json: result.json };
    return { status: 'value', node, revision: version.revision, output, ...json };
  } catch (error) {
    threw = true;
    const name = [request.module, ...path].join('.');
    if (!(error instanceof PurgedError)) version.log.told(() => codeServer.errors.describe(error), name);
    return thrown(error);
  } finally {
    codeServer.endCall(running, threw);
  }
}

/** Whether `await` would wait for a value. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return isObject && 'then' in value && typeof value.then === 'function';
}
