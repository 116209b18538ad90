import { AsyncLocalStorage } from 'node:async_hooks';

import { resetStackTraces } from '../../../shared/stack-trace.ts';

/** The maximum number of printed lines that are returned with a call. The log has more of them. */
const MAX_OUTPUT_LINES = 200;

/** The context of a module's code and of everything that this code starts. */
interface Context {
  /** The name of the version's script. Not the version itself, which could then never be collected. */
  readonly script: string;
  /** The lines that the call has printed; null outside of a call. */
  readonly output: string[] | null;
}

const contexts = new AsyncLocalStorage<Context>();

/** The stack trace limit before any module has run. Modules can change it. */
const { stackTraceLimit } = Error;

/** Runs code of a version. The context follows the code across every await, timer and callback. */
export function runInContext<T>(script: string, output: string[] | null, body: () => T): T {
  resetStackTraces();
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  return contexts.run({ script, output }, body);
}

/** The script whose code runs now, or started the code that runs now; null for the node's own code. */
export function currentScript(): string | null {
  return contexts.getStore()?.script ?? null;
}

/** Adds a printed line to the output of the call that printed it. */
export function addOutput(line: string): void {
  const output = contexts.getStore()?.output;
  if (output && output.length < MAX_OUTPUT_LINES) output.push(line);
}
