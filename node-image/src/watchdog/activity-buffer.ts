/** The global function of the main thread that maps a position in a bundle to the source file, while it is paused. */
export const SOURCE_POSITION = Symbol.for('hotcast.sourcePosition');

/** The space for the name of a script, in bytes. */
const NAME_BYTES = 128;

const BEATS = 0;
const LENGTH = 1;
const RUNS = 2;
const READY = 3;
const HEADER_BYTES = 16;

/**
 * Shows another thread that the event loop of this one turns, and which module's code it runs. It is in shared memory, so
 * that it can be read while the writer is blocked.
 */
export class ActivityBuffer {
  readonly memory: SharedArrayBuffer;
  readonly #numbers: Int32Array;
  readonly #name: Buffer;
  /** The script that this thread shows, and the last one whose name it has written, with its length: only it writes. */
  #shown: string | null = null;
  #written: string | null = null;
  #length = 0;

  constructor(memory = new SharedArrayBuffer(HEADER_BYTES + NAME_BYTES)) {
    this.memory = memory;
    this.#numbers = new Int32Array(memory, 0, HEADER_BYTES / Int32Array.BYTES_PER_ELEMENT);
    this.#name = Buffer.from(memory, HEADER_BYTES);
  }

  /** Counts one turn of the event loop. */
  beat(): void {
    Atomics.add(this.#numbers, BEATS, 1);
  }

  /** The number of counted turns. */
  get beats(): number {
    return Atomics.load(this.#numbers, BEATS);
  }

  /** Shows that the node has loaded the modules of its cluster. */
  setReady(): void {
    Atomics.store(this.#numbers, READY, 1);
  }

  get isReady(): boolean {
    return Atomics.load(this.#numbers, READY) === 1;
  }

  /** Runs a module's code, and shows its script until `body` returns. A promise that it returns is not awaited. */
  track<T>(script: string, body: () => T): T {
    const before = this.enter(script);
    try {
      return body();
    } finally {
      this.leave(before);
    }
  }

  /** Shows a script; returns what {@link leave} needs. */
  enter(script: string): string | null {
    const before = this.#shown;
    if (before === null) Atomics.add(this.#numbers, RUNS, 1);
    this.#show(script);
    return before;
  }

  /** Shows again what was shown before {@link enter}. */
  leave(before: string | null): void {
    this.#show(before);
  }

  /** The script whose code runs now; null when no module's code runs. */
  get script(): string | null {
    const length = Atomics.load(this.#numbers, LENGTH);
    return length === 0 ? null : this.#name.toString('latin1', 0, length);
  }

  /** The number of runs that began. While it stays the same, and a script is shown, nothing else runs in between. */
  get runs(): number {
    return Atomics.load(this.#numbers, RUNS);
  }

  #show(script: string | null): void {
    this.#shown = script;
    if (script !== null && script !== this.#written) {
      // Another thread must not read half of a name.
      Atomics.store(this.#numbers, LENGTH, 0);
      this.#length = this.#name.write(script, 0, NAME_BYTES, 'latin1');
      this.#written = script;
    }
    Atomics.store(this.#numbers, LENGTH, script === null ? 0 : this.#length);
  }
}
