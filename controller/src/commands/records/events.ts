import { UsageError } from '../../../../protocol/errors.ts';
import type { Event } from '../../../../protocol/history/event.ts';
import type { EventBatch } from '../../store/audit.ts';
import { followEvents } from '../../store/follow-events.ts';
import type { Handler } from '../context.ts';

/** Reports the events after a position. It ends with them, or follows what comes until its client goes. */
export const events: Handler<'events'> = async ({ audit }, { since, follow }, report, signal, holds) => {
  const { last } = await audit.bounds();
  if (since !== null && since > last)
    throw new UsageError(
      `the audit has no position ${since}, the last one is ${last}: it was begun again; see --since 0`,
    );
  let position = since ?? (follow ? last : 0);
  const tell = (batch: EventBatch): number => {
    if (batch.missing > 0) report({ type: 'warning', message: missingText(batch.missing) });
    if (batch.events.length > 0) report({ type: 'happened', events: [...batch.events] satisfies Event[] });
    holds(`go on with --since ${batch.position}`);
    return batch.position;
  };
  holds(`go on with --since ${position}`);
  if (!follow) {
    for (;;) {
      const batch = await audit.after(position);
      if (batch.position === position || signal.aborted) break;
      position = tell(batch);
    }
    return { command: 'events', position };
  }
  report({ type: 'note', message: `what happens after position ${position} is shown until Ctrl+C` });
  let isFailing = false;
  const onFault = (): void => {
    if (!isFailing) report({ type: 'warning', message: 'NATS does not answer; it goes on when NATS is there again' });
    isFailing = true;
  };
  for await (const batch of followEvents(audit, position, { signal, onFault })) {
    isFailing = false;
    position = tell(batch);
  }
  throw signal.reason;
};

function missingText(missing: number): string {
  return `${missing.toLocaleString('en-US')} events are missing: they are dropped already, or of another release`;
}
