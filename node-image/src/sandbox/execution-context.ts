import { AsyncLocalStorage } from 'node:async_hooks';

import { resetStackTraces } from '../../../shared/stack-trace.ts';

/** A call shows at most this many printed lines with its answer; the log has more of them. */
const MAX_OUTPUT_LINES = 200;

/** The code of a module that runs, with all that it has started. */
interface Running {
  /** As in {@link scriptName}: a version that it held would never be collected. */
  readonly script: string;
  /** What the call has printed, a line each; null when it is no call. */
  readonly output: string[] | null;
}

const running = new AsyncLocalStorage<Running>();

/** How long stacks are before any module has run; modules may change that for a moment. */
const { stackTraceLimit } = Error;

/** Runs code of a version; what it starts is known as its own, across every await, timer and callback. */
export function runInContext<T>(script: string, output: string[] | null, body: () => T): T {
  resetStackTraces();
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  return running.run({ script, output }, body);
}

/** The script whose code runs here, or has started what runs; null when it is the node's own. */
export function currentScript(): string | null {
  return running.getStore()?.script ?? null;
}

/** Shows a printed line with the call that printed it. */
export function addOutput(line: string): void {
  const output = running.getStore()?.output;
  if (output && output.length < MAX_OUTPUT_LINES) output.push(line);
}
