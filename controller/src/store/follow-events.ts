import type { Audit, EventBatch } from './audit.ts';

/** Without a sign that something was written, it looks so often (milliseconds). */
const LOOK_MS = 2_000;

/** What was written is in the stream within this time, and looked for so often until then (milliseconds). */
const WRITTEN_MS = 1_000;
const AGAIN_MS = 20;

/** Who follows the events. */
export interface Follower {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Receives why the events can't be read now; null: they can be read again. */
  readonly onFault: (error: unknown) => void;
}

/**
 * Yields the events after a position, as they come, until the signal is aborted. It ends on no fault: it goes on from the last position
 * when NATS answers again. When NATS has lost its disk, the audit begins again, and so does this.
 */
export async function* followEvents(
  audit: Pick<Audit, 'after' | 'bounds' | 'onWrite'>,
  from: number,
  { signal, onFault }: Follower,
): AsyncGenerator<EventBatch, void, undefined> {
  let position = from;
  let writtenAt = -Infinity;
  let wake = (): void => undefined;
  const hear = (): void => {
    writtenAt = performance.now();
    wake();
  };
  const writes = audit.onWrite(hear);
  const end = (): void => wake();
  signal.addEventListener('abort', end);
  try {
    while (!signal.aborted) {
      const batch = await nextBatch(audit, position, writtenAt === -Infinity).catch(onFault);
      if (signal.aborted) return;
      if (batch !== undefined && batch.position !== position) {
        position = batch.position;
        writtenAt = -Infinity;
        if (batch.events.length > 0 || batch.missing > 0) yield batch;
        continue;
      }
      const isAwaited = performance.now() - writtenAt < WRITTEN_MS;
      if (!isAwaited) writtenAt = -Infinity;
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, isAwaited ? AGAIN_MS : LOOK_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    signal.removeEventListener('abort', end);
    writes[Symbol.dispose]();
  }
}

/** The next events. With nothing to read, a look at the end tells whether the audit has begun again. */
async function nextBatch(
  audit: Pick<Audit, 'after' | 'bounds'>,
  position: number,
  looksAtEnd: boolean,
): Promise<EventBatch> {
  const batch = await audit.after(position);
  if (batch.position !== position || !looksAtEnd || position === 0) return batch;
  return (await audit.bounds()).last < position ? { events: [], position: 0, missing: 0 } : batch;
}
