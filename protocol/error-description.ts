import * as v from 'valibot';

/** An error as plain data, for logs and answers. */
export interface ErrorDescription {
  /** The class of the error, or the type of another value that was thrown. */
  readonly type: string;
  readonly message: string;
  /** The `code` of the error, as of `ENOENT`. */
  readonly code?: string | number | undefined;
  /** The stack, mapped to the sources of the modules. */
  readonly stack?: string | undefined;
  /** The error's cause, if it has one. */
  readonly cause?: ErrorDescription | undefined;
  /** The parts of an `AggregateError`. */
  readonly errors?: ErrorDescription[] | undefined;
}

/** The deepest cause or part that is described, and the largest number of descriptions in one. */
export const MAX_CAUSES = 8;
export const MAX_DESCRIPTIONS = 32;

const own = {
  type: v.string(),
  message: v.string(),
  code: v.optional(v.union([v.string(), v.number()])),
  stack: v.optional(v.string()),
};

/** The fields of a description. They are nested only so deep, whatever a sender sends. */
export const errorEntries = (depth = MAX_CAUSES) => ({ ...own, ...nested(depth) });

export const errorDescription: v.GenericSchema<ErrorDescription> = schemaOf(MAX_CAUSES);

function schemaOf(depth: number): v.GenericSchema<ErrorDescription> {
  return depth === 0 ? v.object(own) : v.object({ ...own, ...nested(depth) });
}

function nested(depth: number) {
  const inner = schemaOf(depth - 1);
  return { cause: v.optional(inner), errors: v.optional(v.pipe(v.array(inner), v.maxLength(MAX_DESCRIPTIONS))) };
}

/** Formats an error on one line: with its code, its parts and its causes. */
export function errorLine({ type, message, code, cause, errors }: ErrorDescription): string {
  return [
    `${type}: ${message}`,
    code === undefined || message.includes(String(code)) ? '' : ` (${code})`,
    errors === undefined || errors.length === 0 ? '' : ` [${errors.map(errorLine).join('; ')}]`,
    cause === undefined ? '' : `; cause: ${errorLine(cause)}`,
  ].join('');
}

/** Formats an error as Node.js prints it: the stack, then code, cause and parts in braces. */
export function errorText({ type, message, stack, code, cause, errors }: ErrorDescription): string {
  const head = stack ?? (PRIMITIVES.has(type) ? message : `[${type}: ${message}]`);
  const fields = [
    ...(code === undefined ? [] : [`code: ${typeof code === 'string' ? `'${code}'` : code}`]),
    ...(cause === undefined ? [] : [`[cause]: ${errorText(cause)}`]),
    ...(errors === undefined ? [] : [`[errors]: [${indented(errors.map(errorText))}]`]),
  ];
  return fields.length === 0 ? head : `${head} {${indented(fields)}}`;
}

/** The types of thrown values that are no errors. */
const PRIMITIVES: ReadonlySet<string> = new Set(
  'object function string number bigint boolean symbol undefined'.split(' '),
);

function indented(items: readonly string[]): string {
  return items.length === 0 ? '' : `\n  ${items.join(',\n').replaceAll('\n', '\n  ')}\n`;
}
