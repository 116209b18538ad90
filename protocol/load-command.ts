import * as v from 'valibot';

import { decode, encode } from './codec.ts';
import { DecodeError } from './errors.ts';
import { joinFrames, splitFrames } from './framing.ts';

const stamp = v.object({
  /** When it was given, milliseconds since 1970 with fractions: a node obeys none that is not newer than the last. */
  at: v.number(),
});

/** A bundle that one node is to load past the heads, sealed for that node's subject. */
export interface LoadCommand {
  readonly at: number;
  /** The packed bundle. */
  readonly packed: Uint8Array;
}

export function encodeLoadCommand({ at, packed }: LoadCommand): Uint8Array {
  return joinFrames([encode({ at }), packed]);
}

/** @throws DecodeError */
export function decodeLoadCommand(bytes: Uint8Array): LoadCommand {
  const [first, packed, ...more] = splitFrames(bytes, 2);
  if (first === undefined || packed === undefined || more.length > 0) throw new DecodeError('no order to load');
  return { ...decode(stamp, first), packed };
}
