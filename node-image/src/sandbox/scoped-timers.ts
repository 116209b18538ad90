import * as nodeTimers from 'node:timers';
import { promisify } from 'node:util';

import type { TimerName } from '../../../shared/module-script.ts';
import type { Lifetime } from './lifetime.ts';

/** The timer functions that a version gets instead of Node's. */
export type ScopedTimers = Pick<typeof globalThis, TimerName>;

type Callback = (...args: unknown[]) => unknown;

interface WaitOptions {
  readonly signal?: AbortSignal;
  readonly ref?: boolean;
}

/**
 * Node's global timers for one version. The timers that they start end with the version.
 *
 * @param timeouts gets the timeouts and intervals that are pending.
 */
export function scopedTimers(lifetime: Lifetime, timeouts = new Set<NodeJS.Timeout>()): ScopedTimers {
  const immediates = new Set<NodeJS.Immediate>();
  lifetime.closeOnEnd(() => {
    for (const timeout of timeouts) clearTimeout(timeout);
    for (const immediate of immediates) clearImmediate(immediate);
    timeouts.clear();
    immediates.clear();
  });
  const starter =
    (start: (run: () => void, delay?: number) => NodeJS.Timeout, once: boolean) =>
    (callback: Callback, delay?: number, ...args: unknown[]): NodeJS.Timeout => {
      assertCallback(callback);
      const timeout = start(() => {
        if (once) timeouts.delete(timeout);
        // A timer that has fired can be started again by its refresh().
        if (!lifetime.ended) lifetime.guard(() => callback(...args));
      }, delay);
      if (lifetime.ended) clearTimeout(timeout);
      else timeouts.add(timeout);
      return timeout;
    };
  const immediate = (callback: Callback, ...args: unknown[]): NodeJS.Immediate => {
    assertCallback(callback);
    const handle = setImmediate(() => {
      immediates.delete(handle);
      lifetime.guard(() => callback(...args));
    });
    if (lifetime.ended) clearImmediate(handle);
    else immediates.add(handle);
    return handle;
  };
  const clearer =
    <T>(handles: Set<T>, clear: (handle: T) => void) =>
    (handle: T): void => {
      handles.delete(handle);
      clear(handle);
    };
  const timers = {
    setTimeout: starter(setTimeout, true),
    setInterval: starter(setInterval, false),
    setImmediate: immediate,
    clearTimeout: clearer(timeouts, clearTimeout),
    clearInterval: clearer(timeouts, clearInterval),
    clearImmediate: clearer(immediates, clearImmediate),
  } as unknown as ScopedTimers;
  // `promisify(setTimeout)` in a module must use a timer of the version too. Few modules do.
  for (const name of ['setTimeout', 'setImmediate'] as const) {
    Object.defineProperty(timers[name], promisify.custom, { get: () => promisedTimers(timers)[name] });
  }
  return timers;
}

/** `node:timers` for one version. */
export function timersModule(timers: ScopedTimers): object {
  return { ...nodeTimers, ...timers, promises: promisedTimers(timers) };
}

/**
 * `node:timers/promises` for one version. A promise that is pending when the version ends stays pending and is collected
 * with it: both a value and a rejection would run code of the ended version. Only a signal of the caller rejects it.
 */
export function promisedTimers(timers: ScopedTimers) {
  const sleep = (delay?: number, value?: unknown, options: WaitOptions = {}): Promise<unknown> =>
    cancellable(options, resolve => {
      const timeout = timers.setTimeout(resolve, delay, value);
      if (options.ref === false) timeout.unref();
      return () => timers.clearTimeout(timeout);
    });
  const turn = (value?: unknown, options: WaitOptions = {}): Promise<unknown> =>
    cancellable(options, resolve => {
      const immediate = timers.setImmediate(resolve, value);
      if (options.ref === false) immediate.unref();
      return () => timers.clearImmediate(immediate);
    });
  /** Yields the value once per tick, also for ticks that passed while no consumer waited, as Node does. */
  async function* ticks(delay?: number, value?: unknown, options: WaitOptions = {}): AsyncGenerator {
    let due = 0;
    let wake = (): void => undefined;
    const interval = timers.setInterval(() => {
      due += 1;
      wake();
    }, delay);
    if (options.ref === false) interval.unref();
    try {
      for (;;) {
        await cancellable(options, resolve => {
          wake = () => resolve(undefined);
          if (due > 0) wake();
          return () => undefined;
        });
        due -= 1;
        yield value;
      }
    } finally {
      timers.clearInterval(interval);
    }
  }
  const scheduler = { wait: (delay: number, options?: WaitOptions) => sleep(delay, undefined, options), yield: turn };
  return { setTimeout: sleep, setImmediate: turn, setInterval: ticks, scheduler };
}

/** A promise that `start` resolves. When the signal is aborted, `stop` is called and the promise rejects as in Node. */
function cancellable(
  { signal }: WaitOptions,
  start: (resolve: (value: unknown) => void) => () => void,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const aborted = (): Error =>
      Object.assign(new Error('The operation was aborted', { cause: signal?.reason }), {
        name: 'AbortError',
        code: 'ABORT_ERR',
      });
    if (signal?.aborted) return reject(aborted());
    const onAbort = (): void => {
      stop();
      reject(aborted());
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const stop = start(value => {
      signal?.removeEventListener('abort', onAbort);
      resolve(value);
    });
  });
}

/** Throws where the timer is created, as Node does, so that a module with this fault is refused while it loads. */
function assertCallback(callback: unknown): void {
  if (typeof callback !== 'function') throw new TypeError('the callback of a timer must be a function');
}
