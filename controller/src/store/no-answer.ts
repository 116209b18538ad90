import { JetStreamApiError, JetStreamError } from '@nats-io/jetstream';
import { NoRespondersError, RequestError, TimeoutError } from '@nats-io/transport-node';

/** The time between two attempts (milliseconds). */
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
 * Asks NATS, and again each second until one of the requests is answered: what arrives while a stream has no leader is never answered.
 * Only for what does the same when it is done twice.
 *
 * @param waitsForLeader also when "nobody is there", which is what a write to a stream without a leader meets.
 * @throws the first other error, and the last one when nothing was answered in ten seconds.
 */
export function untilAnswered<T>(ask: () => Promise<T>, { waitsForLeader = false } = {}): Promise<T> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout;
    let nobody = 0;
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      settle();
    };
    const fail = (error: unknown): void => {
      if (isNobodyThere(error) && !waitsForLeader) nobody += 1;
      const isOver = performance.now() - startedAt >= TRY_MS || nobody === NOBODY_TRIES;
      if (isOver || !isNoAnswer(error)) end(() => reject(error));
    };
    const attempt = (): void => {
      timer = setTimeout(attempt, AGAIN_MS);
      ask().then(value => end(() => resolve(value)), fail);
    };
    attempt();
  });
}
