import { JetStreamApiError, JetStreamError } from '@nats-io/jetstream';
import { NoRespondersError, RequestError, TimeoutError } from '@nats-io/transport-node';

/** The time after which a read is sent again (milliseconds). Each further time is twice as long, up to the longest, after which a write is. */
const READ_AGAIN_MS = 250;
const AGAIN_MS = 1_000;

/** How long there are new attempts (milliseconds). Three servers need up to 9 seconds to choose another leader of a stream. */
const TRY_MS = 10_000;

/** After so many attempts, "nobody is there" stands: there is no such stream, or no server has one. */
const NOBODY_TRIES = 2;

/** The status of a message that says that nobody is there, and NATS's error code for servers without a leader. */
const NO_RESPONDERS = 503;
const NO_LEADER = 10008;

/** Whether NATS did not answer a request: its server, or the leader of the stream, is gone or has just been replaced. */
export function isNoAnswer(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.code === NO_LEADER;
  return error instanceof TimeoutError || isNobodyThere(error);
}

function isNobodyThere(error: unknown): boolean {
  if (error instanceof NoRespondersError) return true;
  if (error instanceof RequestError) return error.isNoResponders();
  if (error instanceof JetStreamError && 'code' in error) return error.code === NO_RESPONDERS;
  // "JetStream is not enabled", which the client says of a write that nobody took.
  return error instanceof Error && isNobodyThere(error.cause);
}

/**
 * Asks NATS, and again until one of the requests is answered. What arrives while a stream has no leader never is, and nor is what is
 * sent to a server that has just been lost, which one in three reads is. Only for what does the same when it is done twice.
 *
 * @param waitsForLeader for a write: also when "nobody is there", which is what it meets when the stream has no leader.
 * @param tryMs the first failure after this time is the last one (milliseconds); default: 10 seconds.
 * @throws the first other error, and the last one when nothing was answered.
 */
export function untilAnswered<T>(ask: () => Promise<T>, { waitsForLeader = false, tryMs = TRY_MS } = {}): Promise<T> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout;
    let nobody = 0;
    let delayMs = waitsForLeader ? AGAIN_MS : READ_AGAIN_MS;
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      settle();
    };
    const fail = (error: unknown): void => {
      if (isNobodyThere(error) && !waitsForLeader) nobody += 1;
      const isOver = performance.now() - startedAt >= tryMs || nobody === NOBODY_TRIES;
      if (isOver || !isNoAnswer(error)) end(() => reject(error));
    };
    const attempt = (): void => {
      timer = setTimeout(attempt, delayMs);
      delayMs = Math.min(2 * delayMs, AGAIN_MS);
      ask().then(value => end(() => resolve(value)), fail);
    };
    attempt();
  });
}
