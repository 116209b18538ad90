/** The name under which the main thread tells, while it is paused, what a position is in the author's own file. */
export const LOCATE = Symbol.for('hotcast.locate');

/** Room for the name of a script, in bytes. */
const NAME_BYTES = 128;

const BEATS = 0;
const LENGTH = 1;
const HEADER_BYTES = 8;

/**
 * What one thread tells another one that can't ask it: that its event loop turns, and which module's code it has
 * entered. It is in shared memory, so that it can be read while the writer is blocked.
 */
export class ActivityBuffer {
  readonly memory: SharedArrayBuffer;
  readonly #numbers: Int32Array;
  readonly #name: Buffer;

  constructor(memory = new SharedArrayBuffer(HEADER_BYTES + NAME_BYTES)) {
    this.memory = memory;
    this.#numbers = new Int32Array(memory, 0, 2);
    this.#name = Buffer.from(memory, HEADER_BYTES);
  }

  /** Tells that the event loop turns. */
  beat(): void {
    Atomics.add(this.#numbers, BEATS, 1);
  }

  /** How often it has turned. */
  get beats(): number {
    return Atomics.load(this.#numbers, BEATS);
  }

  /** Runs a module's code; tells so until `body` returns, which is before a promise that it returns is settled. */
  within<T>(script: string, body: () => T): T {
    const before = this.script;
    this.#enter(script);
    try {
      return body();
    } finally {
      this.#enter(before);
    }
  }

  /** The script whose code was entered and not left; null outside of all. */
  get script(): string | null {
    const length = Atomics.load(this.#numbers, LENGTH);
    return length === 0 ? null : this.#name.toString('latin1', 0, length);
  }

  #enter(script: string | null): void {
    const length = script === null ? 0 : this.#name.write(script, 0, NAME_BYTES, 'latin1');
    Atomics.store(this.#numbers, LENGTH, length);
  }
}
