import { inspect } from 'node:util';

import { type ErrorDescription, MAX_CAUSES, MAX_DESCRIPTIONS } from '../protocol/error-description.ts';
import { type FindBundle, mapStack, resetStackTraces } from './stack-trace.ts';

/** The longest message or stack in a description (characters). The rest is cut off. */
const MAX_CHARS = 16_384;

/** The errors above the current one, and how many more are described. */
interface Walk {
  readonly find: FindBundle;
  readonly above: Set<unknown>;
  left: number;
}

/**
 * Describes a value that was thrown: its code, its stack, its cause and the parts of an `AggregateError`, each with its
 * stack mapped by {@link mapStack}. A cause that is above itself is left out, as are those past {@link MAX_CAUSES} and
 * {@link MAX_DESCRIPTIONS}. Never throws.
 */
export function describeError(thrown: unknown, find: FindBundle): ErrorDescription {
  return describe(thrown, { find, above: new Set(), left: MAX_DESCRIPTIONS - 1 });
}

function describe(thrown: unknown, walk: Walk): ErrorDescription {
  try {
    if (thrown instanceof Error) return describeInstance(thrown, walk);
    const message = typeof thrown === 'string' ? thrown : inspect(thrown, { breakLength: Infinity });
    return { type: typeof thrown, message: shortened(message) };
  } catch {
    return { type: typeof thrown, message: 'a value that throws when it is read' };
  }
}

function describeInstance(error: Error, walk: Walk): ErrorDescription {
  resetStackTraces();
  // Modules can set these to anything.
  const { name, message, stack, cause, code, errors }: Readonly<Record<string, unknown>> = fieldsOf(error);
  const type = String(name);
  const described = {
    type: shortened(type),
    message: shortened(String(message)),
    ...(isCode(code) ? { code } : {}),
    ...(typeof stack === 'string' ? { stack: mapStack(shortened(stack), walk.find) } : {}),
  };
  walk.above.add(error);
  const causes = describeParts(cause === undefined ? [] : [cause], walk);
  const parts = Array.isArray(errors) ? describeParts(errors, walk) : [];
  walk.above.delete(error);
  return {
    ...described,
    ...(causes[0] === undefined ? {} : { cause: causes[0] }),
    ...(parts.length === 0 ? {} : { errors: parts }),
  };
}

function fieldsOf(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  // The numbers of a DOMException, which it inherits, mean nothing to people.
  const code: unknown =
    Object.hasOwn(error, 'code') || !(error instanceof DOMException) ? Reflect.get(error, 'code') : null;
  return { name, message, stack, cause, code, errors: Reflect.get(error, 'errors') as unknown };
}

function describeParts(errors: readonly unknown[], walk: Walk): ErrorDescription[] {
  const parts: ErrorDescription[] = [];
  if (walk.above.size > MAX_CAUSES) return parts;
  for (const error of errors) {
    if (walk.above.has(error)) continue;
    if (walk.left === 0) break;
    walk.left -= 1;
    parts.push(describe(error, walk));
  }
  return parts;
}

function isCode(code: unknown): code is string | number {
  return typeof code === 'string' ? code.length <= 100 : Number.isFinite(code);
}

function shortened(text: string): string {
  return text.length <= MAX_CHARS ? text : `${text.slice(0, MAX_CHARS)}…`;
}
