import { DecodeError } from './errors.ts';

/** Puts several messages into one: each with its length before it (4 bytes, big-endian). */
export function joinFrames(frames: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(frames.flatMap(frame => [lengthOf(frame), frame]));
}

/**
 * Takes apart what {@link joinFrames} put together.
 *
 * @param max how many there may be.
 * @throws DecodeError when the lengths do not add up, there is nothing, or there are more.
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
