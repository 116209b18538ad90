import { setTimeout as sleep } from 'node:timers/promises';

import { JetStreamError } from '@nats-io/jetstream';

import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import { isNoAnswer } from '../store/no-answer.ts';

/** Whether NATS did not answer for the stream, or refused. */
export const isStreamFault = (error: unknown): error is Error =>
  error instanceof JetStreamError || (error instanceof Error && isNoAnswer(error));

/** Opens the stream, and tries again until NATS has it: it can be without JetStream, or without room for a stream. */
export async function untilOpen<T>(open: () => Promise<T>, report: (problem: string) => void): Promise<T> {
  let said = '';
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!isStreamFault(error)) throw error;
      const problem = `NATS answers, but does not open the stream: ${error.message}`;
      if (problem !== said) report(problem);
      said = problem;
      await sleep(HEARTBEAT_INTERVAL);
    }
  }
}
