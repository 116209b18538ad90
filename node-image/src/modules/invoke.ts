import { toJson } from '../../../shared/json-value.ts';
import { MAX_VALUE_BYTES } from '../../../protocol/limits.ts';
import type { CallAnswer, CallFailure, CallRequest } from '../../../protocol/messages.ts';
import { PurgedError } from './in-flight-calls.ts';
import type { CodeServer } from './code-server.ts';
import { UndefError } from './hot-imports.ts';
import { collectStream, isStream } from './collect-stream.ts';

/**
 * Calls an exported function on the current version and waits for its value. The call stays on this version across every
 * await, even if another version is loaded meanwhile. The value of a stream is the array of its items.
 */
export async function call(codeServer: CodeServer, node: string, request: CallRequest): Promise<CallAnswer> {
  const output: string[] = [];
  const failed = (failure: CallFailure, type: string, message: string) =>
    ({ status: 'error', node, failure, type, message, output }) satisfies CallAnswer;
  const undef = (what: string): CallAnswer => failed('undef', 'undef', `${what} on node ${node}`);

  const version = codeServer.current(request.module);
  if (version === null) return undef(`module ${request.module} is not loaded`);
  const target = Object.hasOwn(version.exports, request.function) ? version.exports[request.function] : undefined;
  if (typeof target !== 'function') return undef(`module ${request.module} exports no function ${request.function}`);

  const running = codeServer.beginCall(version);
  const { signal } = version.lifetime;
  let threw = false;
  try {
    const value = codeServer.run(version, output, async () => {
      const returned: unknown = await Reflect.apply(target, version.exports, request.args);
      return isStream(returned) ? collectStream(returned, signal) : toJson(returned, MAX_VALUE_BYTES);
    });
    const result = await Promise.race([value, running.purged]);
    if (!result.ok) return failed('badvalue', 'badvalue', result.detail);
    const json = result.json === undefined ? {} : { json: result.json };
    return { status: 'value', node, revision: version.revision, output, ...json };
  } catch (error) {
    threw = true;
    if (error instanceof UndefError) return failed('undef', 'undef', `${error.message} on node ${node}`);
    if (error instanceof PurgedError) return failed('exception', 'purged', error.message);
    const { type, message, stack } = codeServer.errors.describe(error);
    return { ...failed('exception', type, message), ...(stack === undefined ? {} : { stack }) };
  } finally {
    codeServer.endCall(running, threw);
  }
}
