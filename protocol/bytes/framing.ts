import { DecodeError } from '../errors.ts';

/** The length of a frame is written before it, big-endian. */
const LENGTH_BYTES = 4;

/** Joins messages to one. The length of each is written before it ({@link LENGTH_BYTES}). */
export function joinFrames(frames: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(frames.flatMap(frame => [lengthOf(frame), frame]));
}

/** The frame at the start of some bytes, and the bytes after it; null when the frame is not whole. */
export function firstFrame(bytes: Uint8Array): [frame: Buffer, rest: Buffer] | null {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = all.length < LENGTH_BYTES ? Infinity : LENGTH_BYTES + all.readUInt32BE(0);
  return end > all.length ? null : [all.subarray(LENGTH_BYTES, end), all.subarray(end)];
}

/**
 * Splits a message of {@link joinFrames}.
 *
 * @param max the maximum number of frames.
 * @throws DecodeError when the message has no frames, more than `max`, or a frame that is not whole.
 */
export function splitFrames(bytes: Uint8Array, max = Infinity): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let left = bytes;
  do {
    const split = firstFrame(left);
    if (split === null) throw new DecodeError('the message is not made of whole frames');
    if (frames.length === max) throw new DecodeError(`the message has more than ${max} frames`);
    frames.push(split[0]);
    left = split[1];
  } while (left.length > 0);
  return frames;
}

function lengthOf(frame: Uint8Array): Uint8Array {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(frame.length);
  return length;
}
