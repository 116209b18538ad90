/** A promise did not settle in time. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * Waits for a promise, but not longer than `timeoutMs` (milliseconds). The timer ends with the promise. What has arrived when the time is over is
 * still read: this process can have been slow, and not the one that was asked.
 *
 * @throws TimeoutError when the promise has not settled in time; otherwise what the promise rejects with.
 */
export async function withTimeout<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = (): void => reject(new TimeoutError(`no answer within ${timeoutMs} ms`));
    timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The same, with null in place of a timeout or a rejection. */
export async function orNullAfter<T>(timeoutMs: number, promise: Promise<T>): Promise<T | null> {
  return withTimeout(timeoutMs, promise).catch(() => null);
}
