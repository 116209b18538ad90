import * as v from 'valibot';

import { decode, encode } from './codec.ts';
import { DecodeError } from './errors.ts';
import { joinFrames, splitFrames } from './bytes/framing.ts';

const commandHeader = v.object({
  /** The process that it is for: the `processId` of a ping's answer. A later process of the node rejects it. */
  processId: v.string(),
  /** A random id. The process executes each command once. */
  id: v.string(),
});

/** Tells one node to load a bundle that is in no head, or to run an expression. It is signed for that node's subject. */
export interface LoadCommand extends v.InferOutput<typeof commandHeader> {
  /** The packed bundle, or the expression: see `shell-messages.ts`. */
  readonly packed: Uint8Array;
}

export function encodeLoadCommand({ packed, ...header }: LoadCommand): Uint8Array {
  return joinFrames([encode(header), packed]);
}

/** @throws DecodeError */
export function decodeLoadCommand(bytes: Uint8Array): LoadCommand {
  const [header, packed] = splitFrames(bytes, 2);
  if (header === undefined || packed === undefined) throw new DecodeError('not a load command');
  return { ...decode(commandHeader, header), packed };
}
