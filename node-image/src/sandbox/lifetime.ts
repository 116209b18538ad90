/** A version's clean-up gets this long when it is asynchronous (milliseconds). */
const DISPOSE_MAY_TAKE = 5_000;

/** Why a signal is aborted: one for all, since to make one takes longer than all else that ends with a version. */
const PURGED = new DOMException('the version was purged', 'AbortError');

/**
 * What one version has opened, and closes when it is purged: what is its own, its abort signal, and what it asked to be
 * told. Nothing of it fires after {@link end}.
 */
export class Lifetime {
  readonly #abort = new AbortController();
  readonly #closers: (() => void)[] = [];
  readonly #disposers: (() => unknown)[] = [];
  readonly #pruners: (() => unknown)[] = [];
  readonly #onError: (error: unknown) => void;

  /** `onError` is told of everything that a timer, a listener or a clean-up throws. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Aborted when the version is purged. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Has `close` called first of all at the end: what the node closes for the version, before the version hears of it. */
  owns(close: () => void): void {
    this.#closers.push(close);
  }

  /** Has `dispose` called once, when the version is purged; at once when it was. */
  onEnd(dispose: () => unknown): void {
    if (this.signal.aborted) void this.#dispose([dispose]);
    else this.#disposers.push(dispose);
  }

  /** Has `prune` called once, after what {@link onEnd} was told, when the version ends since its module is removed. */
  onRemoval(prune: () => unknown): void {
    this.#pruners.push(prune);
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

  /**
   * Ends everything. Resolves when asynchronous clean-up is done, or has taken too long.
   *
   * @param removed whether no other version comes after this one.
   */
  async end({ removed = false }: { readonly removed?: boolean } = {}): Promise<void> {
    if (this.signal.aborted) return;
    for (const close of this.#closers.splice(0)) close();
    this.guard(() => this.#abort.abort(PURGED));
    await this.#dispose(this.#disposers.splice(0));
    if (removed) await this.#dispose(this.#pruners.splice(0));
  }

  async #dispose(callbacks: readonly (() => unknown)[]): Promise<void> {
    await Promise.all(callbacks.map(callback => this.#inTime(callback)));
  }

  async #inTime(callback: () => unknown): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`dispose took longer than ${DISPOSE_MAY_TAKE} ms`);
      timer = setTimeout(() => reject(error), DISPOSE_MAY_TAKE);
    });
    try {
      await Promise.race([(async () => callback())(), late]);
    } catch (error) {
      this.#onError(error);
    } finally {
      clearTimeout(timer);
    }
  }
}
