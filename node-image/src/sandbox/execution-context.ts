import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

import { resetStackTraces } from '../../../shared/stack-trace.ts';
import type { PortOwner } from './listening/port-owner.ts';

/** The maximum number of printed lines that are returned with a call. The log has more of them. */
const MAX_OUTPUT_LINES = 200;

/** The version whose code runs. */
export interface CodeOwner {
  /** The name of the version's script. */
  readonly script: string;
  /** Not the version itself, which could then never be collected: what its code starts keeps the context. */
  readonly ports: WeakRef<PortOwner> | null;
}

/** What a call prints, and what its sender has given it. */
export interface Output {
  readonly lines: string[];
  /** Its id. */
  readonly id: string | undefined;
  /** The sender's span. */
  readonly traceparent?: string | undefined;
}

/** The context of a module's code and of everything that this code starts. */
interface Context extends CodeOwner {
  /** Without it outside of a call. */
  readonly output?: Output;
}

const contexts = new AsyncLocalStorage<Context>();

/** The stack trace limit before any module has run. Modules can change it. */
const { stackTraceLimit } = Error;

/** Runs code of a version. The context follows the code across every await, timer and callback. */
export function runInContext<T>(owner: CodeOwner, output: Output | null, body: () => T): T {
  resetErrors();
  return contexts.run(output === null ? owner : { ...owner, output }, body);
}

/** The context of a version and nothing else, for {@link callInScope}. */
export type Scope = AsyncResource;

/** The context of this program when it starts: an empty one. */
const outside = new AsyncResource('hotcast');

export function scopeOf(owner: CodeOwner): Scope {
  return outside.runInAsyncScope(() => contexts.run(owner, () => new AsyncResource('hotcast-version')));
}

/**
 * Calls a method of a version in its scope. Where much is called, this is better than {@link runInContext}: that copies all
 * contexts at each call, twice. The contexts of the caller are not kept.
 */
export function callInScope<Args extends unknown[], T>(
  scope: Scope,
  method: (...args: Args) => T,
  owner: object,
  ...args: Args
): T {
  resetErrors();
  return scope.runInAsyncScope(method, owner, ...args);
}

function resetErrors(): void {
  resetStackTraces();
  if (Error.stackTraceLimit !== stackTraceLimit) Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
}

/** Runs code of the node itself, from wherever it is called. */
export function runOutside<T>(body: () => T): T {
  return contexts.exit(body);
}

/** The script whose code runs now, or started the code that runs now; null for the node's own code. */
export function currentScript(): string | null {
  return contexts.getStore()?.script ?? null;
}

/** The version whose code runs now, as {@link currentScript}; null also when the version is collected. */
export function currentOwner(): PortOwner | null {
  return contexts.getStore()?.ports?.deref() ?? null;
}

/** The call that prints now, if its sender gave it an id, and how many lines it has printed. */
export function printingCall(): { readonly id: string; readonly line: number } | null {
  const output = contexts.getStore()?.output;
  return output?.id === undefined ? null : { id: output.id, line: output.lines.length };
}

/** The span of whoever made the call that runs; undefined when he gave none, and outside of a call. */
export function callerSpan(): string | undefined {
  return contexts.getStore()?.output?.traceparent;
}

/** Adds a printed line to the output of the call that printed it. */
export function addOutput(line: string): void {
  const lines = contexts.getStore()?.output?.lines;
  if (lines && lines.length < MAX_OUTPUT_LINES) lines.push(line);
}
