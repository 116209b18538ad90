import { DecodeError } from './errors.ts';

/** Joins messages to one. The length of each is written before it (4 bytes, big-endian). */
export function joinFrames(frames: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(frames.flatMap(frame => [lengthOf(frame), frame]));
}

/**
 * Splits a message of {@link joinFrames}.
 *
 * @param max the maximum number of frames.
 * @throws DecodeError when the message has no frames, more than `max`, or a frame that is not whole.
 */
export function splitFrames(bytes: Uint8Array, max = Infinity): Uint8Array[] {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Uint8Array[] = [];
  let at = 0;
  while (at + 4 <= all.length) {
    const end = at + 4 + all.readUInt32BE(at);
    if (end > all.length) break;
    if (frames.length === max) throw new DecodeError(`the message has more than ${max} frames`);
    frames.push(all.subarray(at + 4, end));
    at = end;
  }
  if (frames.length === 0 || at !== all.length) throw new DecodeError('the message is not made of whole frames');
  return frames;
}

function lengthOf(frame: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(frame.length);
  return length;
}
