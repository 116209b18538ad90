import { constants, createGunzip, gunzipSync } from 'node:zlib';

/** What a stream of Node.js unpacks with. It is not documented, and can be missing. */
interface Unpacker {
  readonly _handle: {
    reset(): void;
    /** Writes into `_writeState` what is left of the output and of the input. */
    writeSync(
      flush: number,
      input: Uint8Array,
      inputAt: number,
      inputLength: number,
      output: Uint8Array,
      outputAt: number,
      outputLength: number,
    ): void;
  };
  readonly _writeState: Uint32Array;
}

/** The bytes at the end of a gzip that tell how long its content is. */
const LENGTH_BYTES = 4;

/** The smallest and the largest part of its result that `gunzipSync` allocates at once, in bytes. */
const MIN_CHUNK_BYTES = 64;
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;

/** Null where Node.js has none. */
let unpacker: Unpacker | null | undefined;

/**
 * Unpacks a gzip. `gunzipSync` makes a stream each time, which takes twice as long as to unpack some kilobytes: here one stream is kept.
 *
 * @throws Error when it is no gzip, or has more than `maxBytes` unpacked.
 */
export function gunzip(packed: Buffer, maxBytes: number): Buffer {
  // The end tells the length, if it is one.
  const length = packed.length < LENGTH_BYTES ? 0 : packed.readUInt32LE(packed.length - LENGTH_BYTES) + 1;
  const fast = length <= Math.min(MAX_CHUNK_BYTES, maxBytes) ? unpackAtOnce(packed, length) : null;
  if (fast !== null) return fast;
  const chunkSize = Math.min(Math.max(length, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES);
  return gunzipSync(packed, { maxOutputLength: maxBytes, chunkSize });
}

/** Null when the bytes are not one gzip with a content that is one byte shorter than `length`, or the stream can't do it. */
function unpackAtOnce(packed: Buffer, length: number): Buffer | null {
  if (unpacker === undefined) unpacker = makeUnpacker();
  if (unpacker === null) return null;
  const output = Buffer.allocUnsafeSlow(length);
  const { _handle: handle, _writeState: left } = unpacker;
  handle.reset();
  left.fill(length);
  handle.writeSync(constants.Z_FINISH, packed, 0, packed.length, output, 0, length);
  if (left[0] === 1 && left[1] === 0) return output.subarray(0, -1);
  // After an error, the stream is closed.
  unpacker = undefined;
  return null;
}

function makeUnpacker(): Unpacker | null {
  const stream = createGunzip().on('error', () => undefined);
  const { _handle: handle, _writeState: state } = stream as unknown as Partial<Unpacker>;
  const isKnown = typeof handle?.reset === 'function' && typeof handle.writeSync === 'function';
  return isKnown && state instanceof Uint32Array ? (stream as unknown as Unpacker) : null;
}
