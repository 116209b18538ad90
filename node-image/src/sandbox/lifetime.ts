import { setMaxListeners } from 'node:events';

import { TimeoutError, withTimeout } from '../../../shared/timeout.ts';

/** The timeout for asynchronous dispose callbacks (milliseconds). */
const DISPOSE_TIMEOUT_MS = 5_000;

/** Why a version ends: it was purged, also because its module was removed, so that no other version follows; or the node stops. */
export type EndCause = 'purged' | 'removed' | 'stopped';

/** Why a version gets nothing new any more: another one follows, or none does, because its module is removed or the node stops. */
type Replacement = 'replaced' | 'removed';

/** The abort reasons of every signal. They are shared because creating one takes longer than the rest of a purge. */
const PURGED = new DOMException('the version was purged', 'AbortError');
const STOPPED = new DOMException('the node stops', 'AbortError');

/**
 * The lifetime of one version. It closes the version's timers and listeners, aborts its signal and calls its dispose
 * callbacks. No timer or listener of the version fires after {@link end}.
 */
export class Lifetime {
  /** Made when something asks for the signal: that takes longer than all the rest of a lifetime, and few modules do. */
  #abort: AbortController | null = null;
  #endedBy: EndCause | null = null;
  readonly #replacers: ((how: Replacement) => void)[] = [];
  readonly #closers: (() => void)[] = [];
  readonly #disposers: (() => unknown)[] = [];
  readonly #pruners: (() => unknown)[] = [];
  readonly #finishers: (() => void)[] = [];
  readonly #onError: (error: unknown) => void;

  /** @param onError is called with every error of a timer, a listener or a dispose callback. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Whether the version has ended. */
  get ended(): boolean {
    return this.#endedBy !== null;
  }

  /** Aborted when the version is purged. */
  get signal(): AbortSignal {
    if (this.#abort !== null) return this.#abort.signal;
    this.#abort = new AbortController();
    // No warning for many listeners: each request has one.
    setMaxListeners(0, this.#abort.signal);
    if (this.#endedBy !== null) this.#abort.abort(reasonOf(this.#endedBy));
    return this.#abort.signal;
  }

  /** Calls `callback` once when the version is replaced, before its end. */
  onReplaced(callback: (how: Replacement) => void): void {
    this.#replacers.push(callback);
  }

  /** From now on, the version gets nothing new. What runs on it goes on. */
  replace(how: Replacement): void {
    for (const callback of this.#replacers.splice(0)) callback(how);
  }

  /** Calls `close` first at the end, before the signal and the callbacks of the version. */
  closeOnEnd(close: () => void): void {
    this.#closers.push(close);
  }

  /** Calls `dispose` once when the version is purged; immediately when it is purged already. */
  onEnd(dispose: () => unknown): void {
    if (this.ended) void this.#dispose([dispose]);
    else this.#disposers.push(dispose);
  }

  /** Calls `prune` once, after the callbacks of {@link onEnd}, when the version ends because its module was removed. */
  onRemoval(prune: () => unknown): void {
    this.#pruners.push(prune);
  }

  /** Calls `finish` last at the end, when the callbacks of the version have finished or timed out. */
  finallyOnEnd(finish: () => void): void {
    this.#finishers.push(finish);
  }

  /** Runs a callback of the version. What it throws, or rejects with later, is an error of the version only. */
  guard(body: () => unknown): void {
    try {
      const result = body();
      if (result instanceof Promise) result.catch(this.#onError);
    } catch (error) {
      this.#onError(error);
    }
  }

  /** Ends everything. Resolves when the dispose callbacks have finished or timed out (milliseconds). */
  async end(cause: EndCause = 'purged', disposeTimeoutMs = DISPOSE_TIMEOUT_MS): Promise<void> {
    if (this.ended) return;
    this.replace(cause === 'purged' ? 'replaced' : 'removed');
    for (const close of this.#closers.splice(0)) close();
    this.#endedBy = cause;
    this.guard(() => this.#abort?.abort(reasonOf(cause)));
    if (this.#disposers.length > 0) await this.#dispose(this.#disposers.splice(0), disposeTimeoutMs);
    if (cause === 'removed') await this.#dispose(this.#pruners.splice(0), disposeTimeoutMs);
    for (const finish of this.#finishers.splice(0)) finish();
  }

  async #dispose(callbacks: readonly (() => unknown)[], timeoutMs = DISPOSE_TIMEOUT_MS): Promise<void> {
    const run = async (callback: () => unknown): Promise<void> => {
      try {
        await withTimeout(timeoutMs, (async () => callback())());
      } catch (error) {
        const late = error instanceof TimeoutError;
        this.#onError(late ? new Error(`dispose took longer than ${Math.round(timeoutMs)} ms`) : error);
      }
    };
    await Promise.all(callbacks.map(run));
  }
}

function reasonOf(cause: EndCause): DOMException {
  return cause === 'stopped' ? STOPPED : PURGED;
}
