import { HEARTBEAT_INTERVAL, MAX_HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';

/** The controller takes this many heartbeats a second from the whole fleet while no canary is open. */
const HEARTBEATS_PER_SECOND = 500;

/**
 * The interval between the heartbeats of each node (milliseconds): 2 seconds up to 1,000 nodes, and longer beyond, so that the
 * fleet stays at {@link HEARTBEATS_PER_SECOND}. A canary is judged by heartbeats, so while one is open the interval is that of
 * a small fleet.
 */
export function heartbeatInterval(nodes: number, isCanaryOpen: boolean): number {
  if (isCanaryOpen) return HEARTBEAT_INTERVAL;
  const spread = Math.ceil((nodes / HEARTBEATS_PER_SECOND) * 1_000);
  return Math.min(Math.max(spread, HEARTBEAT_INTERVAL), MAX_HEARTBEAT_INTERVAL);
}
