import { promisify } from 'node:util';

/** The names of the timer functions that a version sees in place of Node's; clearing one lets go of it here too. */
export const TIMERS = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
] as const;

export type OwnedTimers = Pick<typeof globalThis, (typeof TIMERS)[number]>;

/** A version's clean-up gets this long when it is asynchronous (milliseconds). */
const DISPOSE_MAY_TAKE = 5_000;

/** Why a signal is aborted: one for all, since to make one takes longer than all else that ends with a version. */
const PURGED = new DOMException('the version was purged', 'AbortError');

type Callback = (...args: unknown[]) => unknown;

/**
 * What one version has opened, and closes when it is purged: its timers, its abort signal, and what it asked to be
 * told. Nothing that went through here fires after {@link end}.
 */
export class Lifetime {
  readonly #abort = new AbortController();
  readonly #timeouts = new Set<NodeJS.Timeout>();
  readonly #immediates = new Set<NodeJS.Immediate>();
  readonly #disposers: (() => unknown)[] = [];
  readonly #onError: (error: unknown) => void;

  /** `onError` is told of everything that a timer or a clean-up throws. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Aborted when the version is purged. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Has `dispose` called once, when the version is purged; at once when it was. */
  onEnd(dispose: () => unknown): void {
    if (this.signal.aborted) void this.#dispose(dispose);
    else this.#disposers.push(dispose);
  }

  /** Runs something of the version's; what it throws, now or later, is the version's error and nobody else's. */
  guard(body: () => unknown): void {
    try {
      const result = body();
      if (result instanceof Promise) result.catch(this.#onError);
    } catch (error) {
      this.#onError(error);
    }
  }

  readonly timers: OwnedTimers = this.#makeTimers();

  /** Ends everything. Resolves when asynchronous clean-up is done, or has taken too long. */
  async end(): Promise<void> {
    if (this.signal.aborted) return;
    for (const timeout of this.#timeouts) clearTimeout(timeout);
    for (const immediate of this.#immediates) clearImmediate(immediate);
    this.#timeouts.clear();
    this.#immediates.clear();
    this.guard(() => this.#abort.abort(PURGED));
    await Promise.all(this.#disposers.splice(0).map(dispose => this.#dispose(dispose)));
  }

  async #dispose(dispose: () => unknown): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`dispose took longer than ${DISPOSE_MAY_TAKE} ms`);
      timer = setTimeout(() => reject(error), DISPOSE_MAY_TAKE);
    });
    try {
      await Promise.race([(async () => dispose())(), late]);
    } catch (error) {
      this.#onError(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #makeTimers(): OwnedTimers {
    const repeating =
      (start: (run: () => void, delay?: number) => NodeJS.Timeout, once: boolean) =>
      (callback: Callback, delay?: number, ...args: unknown[]): NodeJS.Timeout => {
        assertCallback(callback);
        const timeout = start(() => {
          if (once) this.#timeouts.delete(timeout);
          // One that has fired may have been started again by its refresh().
          if (!this.signal.aborted) this.guard(() => callback(...args));
        }, delay);
        if (this.signal.aborted) clearTimeout(timeout);
        else this.#timeouts.add(timeout);
        return timeout;
      };
    const immediate = (callback: Callback, ...args: unknown[]): NodeJS.Immediate => {
      assertCallback(callback);
      const handle = setImmediate(() => {
        this.#immediates.delete(handle);
        this.guard(() => callback(...args));
      });
      if (this.signal.aborted) clearImmediate(handle);
      else this.#immediates.add(handle);
      return handle;
    };
    const clearing =
      <T>(owned: Set<T>, clear: (handle: T) => void) =>
      (handle: T): void => {
        owned.delete(handle);
        clear(handle);
      };
    const timeout = repeating(setTimeout, true);
    // `promisify(setTimeout)` in a module has to wait on its own timer too.
    const sleep = (delay: number, value: unknown): Promise<unknown> =>
      new Promise(resolve => void timeout(resolve, delay, value));
    const turn = (value: unknown): Promise<unknown> => new Promise(resolve => void immediate(resolve, value));
    return {
      setTimeout: Object.defineProperty(timeout, promisify.custom, { value: sleep }),
      setInterval: repeating(setInterval, false),
      setImmediate: Object.defineProperty(immediate, promisify.custom, { value: turn }),
      clearTimeout: clearing(this.#timeouts, clearTimeout),
      clearInterval: clearing(this.#timeouts, clearInterval),
      clearImmediate: clearing(this.#immediates, clearImmediate),
    } as unknown as OwnedTimers;
  }
}

/** Throws where the timer is made, as Node does, so that a module which is wrong there is refused while it loads. */
function assertCallback(callback: unknown): void {
  if (typeof callback !== 'function') throw new TypeError('the callback of a timer must be a function');
}
