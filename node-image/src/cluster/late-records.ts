/** The delays between the reads of a record that is not there (milliseconds): a second in all. */
const DELAYS_MS = [25, 75, 200, 700] as const;

/** A read soon after one that was in vain is not repeated (milliseconds): then the stream has lost records. */
const VAIN_MS = 1_000;

export type ReadLate = ReturnType<typeof lateRecords>;

/**
 * Reads records that have to be there: a head or a bundle has named them. One replica of a stream can be some milliseconds behind
 * another, so what is not there is read again for a second. Of many lost records in a row, only the first is waited for.
 */
export function lateRecords() {
  let vainAt = -Infinity;
  return async <T>(read: () => Promise<T | null>): Promise<T | null> => {
    let found = await read();
    for (const delayMs of DELAYS_MS) {
      if (found !== null || performance.now() - vainAt < VAIN_MS) break;
      await new Promise(resolve => setTimeout(resolve, delayMs));
      found = await read();
    }
    if (found === null) vainAt = performance.now();
    return found;
  };
}
