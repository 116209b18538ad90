import * as v from 'valibot';

import { decode, encode } from './codec.ts';
import { DecodeError } from './errors.ts';
import { joinFrames, splitFrames } from './framing.ts';

const commandHeader = v.object({
  /** When it was sent, milliseconds since 1970 with fractions. A node rejects a command that is not newer than the last. */
  at: v.number(),
});

/** Tells one node to load a bundle that is in no head. It is signed for that node's subject. */
export interface LoadCommand extends v.InferOutput<typeof commandHeader> {
  /** The packed bundle. */
  readonly packed: Uint8Array;
}

export function encodeLoadCommand({ at, packed }: LoadCommand): Uint8Array {
  return joinFrames([encode({ at }), packed]);
}

/** @throws DecodeError */
export function decodeLoadCommand(bytes: Uint8Array): LoadCommand {
  const [header, packed] = splitFrames(bytes, 2);
  if (header === undefined || packed === undefined) throw new DecodeError('not a load command');
  return { ...decode(commandHeader, header), packed };
}
