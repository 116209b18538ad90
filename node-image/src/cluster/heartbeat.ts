import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../../protocol/codec.ts';
import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import type { NodeDescription } from '../../../protocol/messages.ts';
import type { EventKind, Subjects } from '../../../protocol/subjects.ts';

export type Heartbeat = ReturnType<typeof heartbeatOf>;

/**
 * Publishes that the node is present: at the start, and then every 2 seconds or as often as the controller requests.
 *
 * @param describe is called once for each heartbeat.
 */
export function heartbeatOf(nats: NatsConnection, subjects: Subjects, describe: () => NodeDescription) {
  let heartbeatInterval = HEARTBEAT_INTERVAL;
  /** The time of the next heartbeat, and its timer; null before the first and after the last heartbeat. */
  let next: { readonly at: number; readonly timer: NodeJS.Timeout } | null = null;

  const publish = (
    kind: EventKind,
    more: Pick<NodeDescription, 'heartbeatInterval' | 'leavesWithinMs' | 'hasEnded'>,
  ): void => {
    const description = describe();
    nats.publish(subjects.event(description.node, kind), encode({ ...description, ...more }));
  };
  const stop = (): void => {
    if (next !== null) clearTimeout(next.timer);
    next = null;
  };
  const schedule = (waitMs: number): void => {
    stop();
    next = { at: performance.now() + waitMs, timer: setTimeout(start, waitMs) };
  };
  /** Publishes a heartbeat, and schedules the next one. */
  const start = (): void => {
    publish('heartbeat', { heartbeatInterval });
    schedule(heartbeatInterval);
  };
  /**
   * Changes the interval (milliseconds). Each heartbeat announces the next one. So a longer interval applies from the next
   * heartbeat. A shorter one applies now, from a random moment in it, because all nodes of the fleet change at once.
   */
  const setInterval = (intervalMs: number): void => {
    heartbeatInterval = intervalMs;
    if (next !== null && next.at - performance.now() > intervalMs) schedule(Math.random() * intervalMs);
  };
  /** Publishes that the node leaves, in at most `leavesWithinMs` (milliseconds), and stops. `hasEnded`: it answers nothing any more. */
  const goodbye = (leavesWithinMs: number, hasEnded = false): void => {
    stop();
    publish('goodbye', { leavesWithinMs, ...(hasEnded ? { hasEnded } : {}) });
  };
  return { start, setInterval, goodbye, stop };
}
