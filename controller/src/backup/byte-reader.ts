/** Reads a number of bytes at a time from a stream of chunks. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array[] = [];
  #size = 0;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** The next bytes; null when the stream ends before. */
  async take(length: number): Promise<Buffer | null> {
    while (this.#size < length) {
      const { value, done = false } = await this.#chunks.next();
      if (done) return null;
      this.#rest.push(value);
      this.#size += value.length;
    }
    const all = Buffer.concat(this.#rest);
    this.#rest = [all.subarray(length)];
    this.#size -= length;
    return all.subarray(0, length);
  }
}
