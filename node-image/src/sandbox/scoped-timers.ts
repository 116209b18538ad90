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

/** Node's global timers for one version. The timers that they start end with the version. */
export function scopedTimers(lifetime: Lifetime): ScopedTimers {
  const timeouts = handlesOf<NodeJS.Timeout>(lifetime, clearTimeout);
  const immediates = handlesOf<NodeJS.Immediate>(lifetime, clearImmediate);
  const timers = {
    setTimeout: (callback: Callback, delay?: number, ...args: unknown[]) =>
      timeouts.start(run => setTimeout(run, delay), callback, args),
    setInterval: (callback: Callback, delay?: number, ...args: unknown[]) =>
      timeouts.start(run => setInterval(run, delay), callback, args, false),
    setImmediate: (callback: Callback, ...args: unknown[]) => immediates.start(setImmediate, callback, args),
    clearTimeout: timeouts.clear,
    clearInterval: timeouts.clear,
    clearImmediate: immediates.clear,
  } as unknown as ScopedTimers;
  // `promisify(setTimeout)` in a module must use a timer of the version too.
  const promised = promisedTimers(timers);
  Object.defineProperty(timers.setTimeout, promisify.custom, { value: promised.setTimeout });
  Object.defineProperty(timers.setImmediate, promisify.custom, { value: promised.setImmediate });
  return timers;
}

/** The timers of one kind that run now. They are cleared when the version ends. */
function handlesOf<Handle>(lifetime: Lifetime, clearHandle: (handle: Handle) => void) {
  const handles = new Set<Handle>();
  const clear = (handle: Handle): void => {
    handles.delete(handle);
    clearHandle(handle);
  };
  lifetime.closeOnEnd(() => handles.forEach(clear));
  /** Throws where the timer is created, as Node does, so that a module with this fault is refused while it loads. */
  const start = (begin: (run: () => void) => Handle, callback: Callback, args: unknown[], once = true): Handle => {
    if (typeof callback !== 'function') throw new TypeError('the callback of a timer must be a function');
    const handle = begin(() => {
      if (once) handles.delete(handle);
      // A timer that has fired can be started again by its refresh().
      if (!lifetime.signal.aborted) lifetime.guard(() => callback(...args));
    });
    if (lifetime.signal.aborted) clearHandle(handle);
    else handles.add(handle);
    return handle;
  };
  return { start, clear };
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
