import * as v from 'valibot';

import { isSpoken, PROTOCOL, protocolOf } from '../../../protocol/version.ts';

/** A problem is described in at most this many characters; some of them are the sender's. */
const MAX_PROBLEM_LENGTH = 300;

/** A time or a duration in milliseconds. Infinity is not allowed, because JSON cannot represent it. */
export const milliseconds = v.pipe(v.number(), v.finite());

/** An array that no receiver changes. */
export const list = <TItem extends v.GenericSchema>(item: TItem) => v.pipe(v.array(item), v.readonly());

/** A line of JSON, as both sides of the control connection send it. */
export const jsonLine = <TSchema extends v.GenericSchema>(schema: TSchema) => v.pipe(v.string(), v.parseJson(), schema);

/** A line of the control connection, with the version that its sender speaks. */
export const lineOf = (message: object): string => `${JSON.stringify({ protocol: PROTOCOL, ...message })}\n`;

/**
 * The version of the sender of a line, if this process does not understand it: another release is in the other process. Null
 * for all others, also for what is no line of this connection.
 */
export function foreignVersion(line: string): number | null {
  const { success, output } = v.safeParse(jsonLine(v.unknown()), line);
  const protocol = success ? protocolOf(output) : null;
  return protocol === null || isSpoken(protocol) ? null : protocol;
}

/** Describes the first problem of a value that does not fit its schema: the field and the reason. */
export function describeProblem([issue]: readonly [v.BaseIssue<unknown>, ...unknown[]]): string {
  const path = v.getDotPath(issue);
  return (path === null ? issue.message : `${path}: ${issue.message}`).slice(0, MAX_PROBLEM_LENGTH);
}
