/** The shares of the time of a stop after which calls are cut, and after which `dispose` callbacks are not awaited. */
const CALLS_SHARE = 1 / 2;
const VERSIONS_SHARE = 15 / 16;

/** What each of the two round trips to NATS can take: to leave its subjects, and to send what is left. */
const NATS_SHARE = 1 / 32;

export type StopDeadline = ReturnType<typeof stopDeadline>;

/**
 * The one deadline of a stop, which begins now. Each step that ends early leaves its time to the next ones. All results are
 * milliseconds from the moment of the call.
 */
export function stopDeadline(timeoutMs: number) {
  const startedAt = performance.now();
  const until = (share: number): number => Math.max(0, startedAt + share * timeoutMs - performance.now());
  return {
    /** The time for calls and streams in flight. */
    callsMs: () => until(CALLS_SHARE),
    /** The time for the `dispose` callbacks of all versions. */
    versionsMs: () => until(VERSIONS_SHARE),
    /** The time until the process ends at the latest. */
    restMs: () => Math.ceil(until(1)),
    /** The time for a round trip to NATS, which can be away. */
    natsMs: () => Math.min(until(1), NATS_SHARE * timeoutMs),
  };
}
