import { AsyncResource } from 'node:async_hooks';

import { vi } from 'vitest';

/**
 * Counts the timers that are due so late, from now on. A timer's callback runs as the node that has set it.
 *
 * @param ms from how many milliseconds on a timer is slow.
 * @returns how many there are.
 */
export function countSlowTimers(ms: number): () => number {
  const slow = new Set<NodeJS.Timeout>();
  const [set, clear] = [setTimeout, clearTimeout];
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((callback: () => void, delay = 0) => {
    const run = AsyncResource.bind(callback);
    const timer = set(() => {
      slow.delete(timer);
      run();
    }, delay);
    if (delay >= ms) slow.add(timer);
    return timer;
  }) as typeof setTimeout);
  vi.spyOn(globalThis, 'clearTimeout').mockImplementation(timer => {
    slow.delete(timer as NodeJS.Timeout);
    clear(timer);
  });
  return () => slow.size;
}
