import { MAX_HEARTBEAT_INTERVAL, HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';

/** So many presence events a second are taken from the whole fleet, where no canary is on trial. */
const PRESENCES_A_SECOND = 500;

/**
 * How often each node is to tell that it is there (milliseconds): every 2 seconds up to 1,000 nodes, and so rarely that all
 * together keep to {@link PRESENCES_A_SECOND} beyond that. A canary is judged by what its nodes tell: they tell as often as
 * in a small fleet.
 */
export function heartbeatInterval(nodes: number, isTrialOpen: boolean): number {
  if (isTrialOpen) return HEARTBEAT_INTERVAL;
  const spread = Math.ceil((nodes / PRESENCES_A_SECOND) * 1_000);
  return Math.min(Math.max(spread, HEARTBEAT_INTERVAL), MAX_HEARTBEAT_INTERVAL);
}
