import { setTimeout as sleep } from 'node:timers/promises';

/** An editor that saves all files writes them within this time; they are pushed together (milliseconds). */
const SAVES_TOGETHER_MS = 10;

/** The paths that were saved and are not pushed yet. */
export class Saves {
  #paths = new Set<string>();
  #since: number | null = null;
  #wake: () => void = () => undefined;
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** Null: nothing was saved, but it is time for another push. */
  add(path: string | null): void {
    if (path !== null) this.#paths.add(path);
    this.#since ??= Date.now();
    this.#wake();
  }

  /** Waits for a save, and for those that belong to it. @throws the reason of the signal. */
  async next(): Promise<{ readonly paths: ReadonlySet<string>; readonly at: number }> {
    while (this.#since === null && !this.#signal.aborted) {
      await new Promise<void>(resolve => (this.#wake = resolve));
    }
    await sleep(SAVES_TOGETHER_MS);
    this.#signal.throwIfAborted();
    const taken = { paths: this.#paths, at: this.#since ?? Date.now() };
    this.#paths = new Set();
    this.#since = null;
    return taken;
  }
}
