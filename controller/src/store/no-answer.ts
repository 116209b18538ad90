import { setTimeout as sleep } from 'node:timers/promises';

import { JetStreamApiError, JetStreamError } from '@nats-io/jetstream';
import { NoRespondersError, RequestError, TimeoutError } from '@nats-io/transport-node';

/** How long to wait after "nobody is there", which comes at once (milliseconds). A timeout has waited for long. */
const NOBODY_DELAY_MS = 500;

/** The status of a message that says that nobody is there, and NATS's error code for servers without a leader. */
const NO_RESPONDERS = 503;
const NO_LEADER = 10008;

/** Whether NATS did not answer a request: its server, or the leader of the stream, is gone or has just been replaced. */
export function isNoAnswer(error: unknown): boolean {
  return error instanceof TimeoutError || isNobodyThere(error);
}

function isNobodyThere(error: unknown): boolean {
  if (error instanceof NoRespondersError) return true;
  if (error instanceof RequestError) return error.isNoResponders();
  if (error instanceof JetStreamApiError) return error.code === NO_LEADER;
  return error instanceof JetStreamError && 'code' in error && error.code === NO_RESPONDERS;
}

/** Reads once more if NATS did not answer: another server has the stream too. */
export async function againOnce<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isNoAnswer(error)) throw error;
    if (isNobodyThere(error)) await sleep(NOBODY_DELAY_MS);
    return read();
  }
}
