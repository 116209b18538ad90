import * as nodeTimers from 'node:timers';
import { promisify } from 'node:util';

import type { SCOPED_GLOBALS } from '../../../shared/module-script.ts';
import type { Lifetime } from './lifetime.ts';

/** The timer functions that a version sees in place of Node's; clearing one lets go of it here too. */
export type ScopedTimers = Pick<
  typeof globalThis,
  Exclude<(typeof SCOPED_GLOBALS)[number], 'console' | 'process' | 'global' | 'globalThis'>
>;

type Callback = (...args: unknown[]) => unknown;

interface WaitOptions {
  readonly signal?: AbortSignal;
  readonly ref?: boolean;
}

/** Node's global timers, for one version: what they start ends with it. */
export function scopedTimers(lifetime: Lifetime): ScopedTimers {
  const timeouts = new Set<NodeJS.Timeout>();
  const immediates = new Set<NodeJS.Immediate>();
  lifetime.owns(() => {
    for (const timeout of timeouts) clearTimeout(timeout);
    for (const immediate of immediates) clearImmediate(immediate);
    timeouts.clear();
    immediates.clear();
  });
  const starting =
    (start: (run: () => void, delay?: number) => NodeJS.Timeout, once: boolean) =>
    (callback: Callback, delay?: number, ...args: unknown[]): NodeJS.Timeout => {
      assertCallback(callback);
      const timeout = start(() => {
        if (once) timeouts.delete(timeout);
        // One that has fired may have been started again by its refresh().
        if (!lifetime.signal.aborted) lifetime.guard(() => callback(...args));
      }, delay);
      if (lifetime.signal.aborted) clearTimeout(timeout);
      else timeouts.add(timeout);
      return timeout;
    };
  const immediate = (callback: Callback, ...args: unknown[]): NodeJS.Immediate => {
    assertCallback(callback);
    const handle = setImmediate(() => {
      immediates.delete(handle);
      lifetime.guard(() => callback(...args));
    });
    if (lifetime.signal.aborted) clearImmediate(handle);
    else immediates.add(handle);
    return handle;
  };
  const clearing =
    <T>(owned: Set<T>, clear: (handle: T) => void) =>
    (handle: T): void => {
      owned.delete(handle);
      clear(handle);
    };
  const timers = {
    setTimeout: starting(setTimeout, true),
    setInterval: starting(setInterval, false),
    setImmediate: immediate,
    clearTimeout: clearing(timeouts, clearTimeout),
    clearInterval: clearing(timeouts, clearInterval),
    clearImmediate: clearing(immediates, clearImmediate),
  } as unknown as ScopedTimers;
  // `promisify(setTimeout)` in a module has to wait on its own timer too.
  const promised = promisedTimers(timers);
  Object.defineProperty(timers.setTimeout, promisify.custom, { value: promised.setTimeout });
  Object.defineProperty(timers.setImmediate, promisify.custom, { value: promised.setImmediate });
  return timers;
}

/** `node:timers` for one version. */
export function timersModule(timers: ScopedTimers): object {
  return { ...nodeTimers, ...timers, promises: promisedTimers(timers) };
}

/**
 * `node:timers/promises` for one version. What is pending at its end stays pending for ever, and is collected with it:
 * both a value and a rejection would run code of the version that has ended. Only a signal of the caller's own rejects.
 */
export function promisedTimers(timers: ScopedTimers) {
  const sleep = (delay?: number, value?: unknown, options: WaitOptions = {}): Promise<unknown> =>
    waiting(options, resolve => {
      const timeout = timers.setTimeout(resolve, delay, value);
      if (options.ref === false) timeout.unref();
      return () => timers.clearTimeout(timeout);
    });
  const turn = (value?: unknown, options: WaitOptions = {}): Promise<unknown> =>
    waiting(options, resolve => {
      const immediate = timers.setImmediate(resolve, value);
      if (options.ref === false) immediate.unref();
      return () => timers.clearImmediate(immediate);
    });
  /** Gives the value once a tick, also for those that passed while nobody asked, as Node does. */
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
        await waiting(options, resolve => {
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

/** A promise of what `start` resolves; when the signal is aborted, `stop` is called, and it is rejected as in Node. */
function waiting({ signal }: WaitOptions, start: (resolve: (value: unknown) => void) => () => void): Promise<unknown> {
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

/** Throws where the timer is made, as Node does, so that a module which is wrong there is refused while it loads. */
function assertCallback(callback: unknown): void {
  if (typeof callback !== 'function') throw new TypeError('the callback of a timer must be a function');
}
