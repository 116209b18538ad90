import * as v from 'valibot';

import { DecodeError } from './errors.ts';
import { count, isCount } from './schemas.ts';

/**
 * The version of what processes say to each other: requests, answers, events, and commands of the command line. Nodes say it in
 * their descriptions, the controller in its digests, both sides of the control connection in each line. Who says none is of the
 * version before the first one, {@link UNVERSIONED}.
 *
 * Every release speaks with processes of the version before. So two processes understand each other when their versions differ by
 * one at most: the newer one sees to it. A new field is optional, is ignored by who does not know it, and needs no new version.
 * A new version is needed where a process of the last one would misunderstand, or could not read, what it gets.
 */
export const PROTOCOL = 2;

/**
 * The version of the records in the stream: heads, results of heads, bundles (in their label), package sets (for their archives
 * too) and audit entries. Every release reads the version before. A release that can read a new one writes the last one until the
 * release after it, so that the nodes of the release before can read what an upgraded controller writes.
 */
export const FORMAT = 2;

/** The version, of both, that is meant where none is said. */
export const UNVERSIONED = 1;

/** What a message says of its version. Everything else in it can be of a shape that this process can't read. */
export const protocolVersion = v.optional(count, UNVERSIONED);
const spoken = v.object({ protocol: protocolVersion });

/** Whether this process and one of that version understand each other. */
export function isSpoken(protocol: number): boolean {
  return Math.abs(protocol - PROTOCOL) <= 1;
}

/** The version of the process that sent a message; null when the message is not JSON or has no such field. */
export function protocolOf(json: unknown): number | null {
  const { success, output } = v.safeParse(spoken, json);
  return success ? output.protocol : null;
}

/** A stored record has a format that this process can't read. Others can. */
export class FormatError extends DecodeError {
  readonly format: number;

  constructor(format: number) {
    const who = format > FORMAT ? 'this process is too old for it' : 'push the module again';
    super(`it has format ${format}, and this process reads ${FORMAT - 1} and ${FORMAT}: ${who}`);
    this.format = format;
  }

  /** Whether a later release has written the record. */
  get isNewer(): boolean {
    return this.format > FORMAT;
  }
}

/** @throws FormatError when a record has a format that this process can't read. */
export function checkFormat(json: unknown): void {
  const { format = UNVERSIONED } = Object(json) as { readonly format?: unknown };
  if (isCount(format) && (format > FORMAT || format < FORMAT - 1)) throw new FormatError(format);
}
