import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Lifetime } from '../../../../node-image/src/sandbox/lifetime.ts';
import { type ScopedTimers, scopedTimers } from '../../../../node-image/src/sandbox/scoped-timers.ts';
import { latch } from '../../fixtures.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A lifetime, and the errors that it reported. */
function begin(): { lifetime: Lifetime; timers: ScopedTimers; errors: unknown[] } {
  const errors: unknown[] = [];
  const lifetime = new Lifetime(error => void errors.push(error));
  return { lifetime, timers: scopedTimers(lifetime), errors };
}

const HOUR = 3_600_000;

describe.each(['setTimeout', 'setInterval'] as const)('%s', start => {
  it('calls back after its time, with its arguments', () => {
    const { timers } = begin();
    const fired = vi.fn<(...args: unknown[]) => void>();
    timers[start](fired, 50, 'yabba', 7);
    vi.advanceTimersByTime(49);
    expect(fired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fired.mock.calls).toEqual([['yabba', 7]]);
  });

  it('never fires after the end', async () => {
    const { lifetime, timers } = begin();
    const fired = vi.fn<() => void>();
    timers[start](fired, 50);
    await lifetime.end();
    vi.advanceTimersByTime(HOUR);
    expect(fired).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('never fires when it was created after the end', async () => {
    const { lifetime, timers } = begin();
    await lifetime.end();
    const fired = vi.fn<() => void>();
    timers[start](fired, 50);
    vi.advanceTimersByTime(HOUR);
    expect(fired).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('never fires when it had been cleared: by a version, or by Node', () => {
    const { timers } = begin();
    const fired = vi.fn<() => void>();
    const clears = [timers.clearTimeout, timers.clearInterval, clearTimeout, clearInterval];
    for (const clear of clears) clear(timers[start](fired, 50));
    vi.advanceTimersByTime(HOUR);
    expect(fired).not.toHaveBeenCalled();
  });

  it('throws where the timer is created when the callback is not a function', () => {
    const { timers } = begin();
    expect(() => Reflect.apply(timers[start], undefined, [undefined, 50])).toThrow(TypeError);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('reports errors to the version, thrown immediately or rejected later', async () => {
    const { timers, errors } = begin();
    const [now, later] = [new Error('now'), new Error('later')];
    timers[start](() => {
      throw now;
    }, 50);
    // oxlint-disable-next-line no-misused-promises -- Modules do that.
    timers[start](() => Promise.reject(later), 50);
    await vi.advanceTimersByTimeAsync(50);
    expect(errors).toEqual([now, later]);
  });
});

describe('setTimeout', () => {
  it('never fires after the end when it was started again', async () => {
    const { lifetime, timers } = begin();
    const fired = vi.fn<() => void>();
    const timeout = timers.setTimeout(fired, 50);
    vi.advanceTimersByTime(50);
    timeout.refresh();
    await lifetime.end();
    vi.advanceTimersByTime(HOUR);
    expect(fired).toHaveBeenCalledOnce();
  });

  it('can be awaited with promisify, and never resolves after the end', async () => {
    const { lifetime, timers } = begin();
    const sleep = promisify(timers.setTimeout);
    const [before, after] = [vi.fn<(value: unknown) => void>(), vi.fn<() => void>()];
    void sleep(50, 'doo').then(before);
    void sleep(100).then(after);
    await vi.advanceTimersByTimeAsync(50);
    expect(before.mock.calls).toEqual([['doo']]);
    await lifetime.end();
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(after).not.toHaveBeenCalled();
  });
});

describe('setInterval', () => {
  it('continues after its callback threw', () => {
    const { timers, errors } = begin();
    timers.setInterval(() => {
      throw new Error('again');
    }, 50);
    vi.advanceTimersByTime(150);
    expect(errors).toHaveLength(3);
  });

  it('can be stopped by its own callback', () => {
    const { timers } = begin();
    const fired = vi.fn<() => void>(() => timers.clearInterval(interval));
    const interval = timers.setInterval(fired, 50);
    vi.advanceTimersByTime(HOUR);
    expect(fired).toHaveBeenCalledOnce();
  });
});

describe('setImmediate', () => {
  // A real turn of the event loop passes.
  beforeEach(() => void vi.useRealTimers());

  it('calls back with its arguments, and reports errors to the version', async () => {
    const { timers, errors } = begin();
    const fired = vi.fn<(...args: unknown[]) => void>();
    timers.setImmediate(fired, 'yabba', 7);
    timers.setImmediate(() => {
      throw new Error('no');
    });
    await turn();
    expect(fired.mock.calls).toEqual([['yabba', 7]]);
    expect(errors).toEqual([new Error('no')]);
  });

  it('never fires after the end, when it was created after it, or when it was cleared', async () => {
    const { lifetime, timers } = begin();
    const fired = vi.fn<() => void>();
    timers.clearImmediate(timers.setImmediate(fired));
    timers.setImmediate(fired);
    const ended = lifetime.end();
    timers.setImmediate(fired);
    await ended;
    await turn();
    expect(fired).not.toHaveBeenCalled();
  });

  it('can be awaited with promisify', async () => {
    const { timers } = begin();
    expect(await promisify(timers.setImmediate)('doo')).toBe('doo');
  });
});

describe('signal', () => {
  it('is aborted at the end, not before', async () => {
    const { lifetime } = begin();
    expect(lifetime.signal.aborted).toBe(false);
    const aborted = once(lifetime.signal, 'abort');
    await Promise.all([lifetime.end(), aborted]);
    expect(lifetime.signal.aborted).toBe(true);
  });

  it.each([
    ['purged', 'the version was purged'],
    ['removed', 'the version was purged'],
    ['stopped', 'the node stops'],
  ] as const)('has a reason: %s', async (cause, message) => {
    const { lifetime } = begin();
    await lifetime.end(cause);
    expect(lifetime.signal.reason).toMatchObject({ name: 'AbortError', message });
  });
});

describe('dispose', () => {
  it('is called at the end, once, when the signal is aborted', async () => {
    const { lifetime } = begin();
    const dispose = vi.fn<() => unknown>(() => lifetime.signal.aborted);
    lifetime.onEnd(dispose);
    expect(dispose).not.toHaveBeenCalled();
    await Promise.all([lifetime.end(), lifetime.end()]);
    expect(dispose.mock.results).toEqual([{ type: 'return', value: true }]);
  });

  it('is called immediately when it is registered after the end', async () => {
    const { lifetime } = begin();
    await lifetime.end();
    const dispose = vi.fn<() => void>();
    lifetime.onEnd(dispose);
    expect(dispose).toHaveBeenCalledOnce();
  });

  it('is awaited', async () => {
    const { lifetime } = begin();
    const { opened, open } = latch();
    lifetime.onEnd(() => opened);
    const ended = vi.fn<() => void>();
    const ending = lifetime.end().then(ended);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ended).not.toHaveBeenCalled();
    open();
    await ending;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('times out after five seconds, which is an error of the version', async () => {
    const { lifetime, errors } = begin();
    lifetime.onEnd(() => new Promise(() => undefined));
    const ended = vi.fn<() => void>();
    void lifetime.end().then(ended);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(ended).not.toHaveBeenCalled();
    // It gives up in the next turn.
    await vi.advanceTimersByTimeAsync(2);
    expect(ended).toHaveBeenCalledOnce();
    expect(errors).toEqual([new Error('dispose took longer than 5000 ms')]);
  });

  it('can fail, now or later, and the others are still called', async () => {
    const { lifetime, errors } = begin();
    const [now, later] = [new Error('now'), new Error('later')];
    lifetime.onEnd(() => {
      throw now;
    });
    lifetime.onEnd(() => Promise.reject(later));
    const third = vi.fn<() => void>();
    lifetime.onEnd(third);
    await lifetime.end();
    expect(third).toHaveBeenCalledOnce();
    expect(errors).toEqual([now, later]);
  });
});

describe('prune', () => {
  it('is called after dispose, and only when the module is removed', async () => {
    const called: string[] = [];
    for (const cause of ['removed', 'purged', 'stopped'] as const) {
      const { lifetime } = begin();
      lifetime.onRemoval(() => called.push(`prune ${cause}`));
      lifetime.onEnd(() => called.push(`dispose ${cause}`));
      await lifetime.end(cause);
      await lifetime.end('removed');
    }
    expect(called).toEqual(['dispose removed', 'prune removed', 'dispose purged', 'dispose stopped']);
  });
});
