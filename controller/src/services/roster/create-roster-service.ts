import type { Msg, NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../../../protocol/codec.ts';
import { HEARTBEAT_INTERVAL } from '../../../../protocol/limits.ts';
import { PROTOCOL } from '../../../../protocol/version.ts';
import { startHealthFile } from '../../../../shared/health-file.ts';
import type { Logger } from '../../../../shared/logger.ts';
import { drainConnection } from '../../../../shared/nats/shutdown.ts';
import type { Questions } from './questions.ts';
import type { Roster } from './roster.ts';

/** The timeout for sending what is left when the roster stops. */
const DRAIN_TIMEOUT_MS = 500;

/** A roster that can't ask says so later (milliseconds): another one of the cluster, on another machine, can be able to. */
const UNAVAILABLE_DELAY_MS = 300;

interface RosterServiceDeps {
  readonly nats: NatsConnection;
  readonly roster: Roster;
  readonly questions: Questions;
  readonly healthFile: string;
  readonly log: Logger;
}

/** Answers the questions. It ends the roster and the connection with itself. */
export async function createRosterService(deps: RosterServiceDeps): Promise<AsyncDisposable> {
  const { nats, roster, questions, log } = deps;
  const answer = async (message: Msg, answerTo: (data: Uint8Array) => Promise<{ status: string }>): Promise<void> => {
    try {
      const result = await answerTo(message.data);
      if (result.status === 'unavailable') await new Promise(resolve => setTimeout(resolve, UNAVAILABLE_DELAY_MS));
      if (!nats.isClosed() && !nats.isDraining()) message.respond(encode({ protocol: PROTOCOL, ...result }));
    } catch (error) {
      log.warn({ err: error, subject: message.subject }, 'a request could not be answered');
    }
  };
  for (const [subject, answerTo] of questions) {
    nats.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) void answer(message, answerTo);
      },
    });
  }
  let isAvailable = true;
  const look = async (): Promise<void> => {
    const state = await roster.members();
    if (isAvailable && state.status === 'unavailable')
      log.warn({ detail: state.detail }, 'the members are not known any more');
    isAvailable = state.status === 'members';
  };
  await look();
  const timer = setInterval(() => void look(), HEARTBEAT_INTERVAL);
  const health = startHealthFile(deps.healthFile, nats, log, () => isAvailable);
  return {
    [Symbol.asyncDispose]: () => {
      clearInterval(timer);
      health[Symbol.dispose]();
      roster[Symbol.dispose]();
      return drainConnection(nats, DRAIN_TIMEOUT_MS);
    },
  };
}
