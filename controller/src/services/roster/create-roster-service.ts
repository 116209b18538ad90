import type { Msg, NatsConnection } from '@nats-io/transport-node';

import { decode, encode } from '../../../../protocol/codec.ts';
import { HEARTBEAT_INTERVAL } from '../../../../protocol/limits.ts';
import { type HolderAnswer, holderRequest, type RosterAnswer } from '../../../../protocol/messages.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { PROTOCOL } from '../../../../protocol/version.ts';
import { startHealthFile } from '../../../../shared/health-file.ts';
import type { Logger } from '../../../../shared/logger.ts';
import { drainConnection } from '../../../../shared/nats/shutdown.ts';
import { answerOf, holderOf, type Roster } from './roster.ts';

/** The timeout for sending what is left when the roster stops. */
const DRAIN_TIMEOUT_MS = 500;

/** A roster that can't ask says so later (milliseconds): another one of the cluster, on another machine, can be able to. */
const UNAVAILABLE_DELAY_MS = 300;

interface RosterServiceDeps {
  readonly nats: NatsConnection;
  readonly cookie: string;
  readonly roster: Roster;
  readonly healthFile: string;
  readonly log: Logger;
}

/** Answers who should answer, and who has an address. It ends the roster and the connection with itself. */
export async function createRosterService(deps: RosterServiceDeps): Promise<AsyncDisposable> {
  const { nats, roster, log } = deps;
  const subjects = subjectsOf(deps.cookie);
  const answerWith = async (message: Msg, answer: RosterAnswer | HolderAnswer): Promise<void> => {
    if (answer.status === 'unavailable') await new Promise(resolve => setTimeout(resolve, UNAVAILABLE_DELAY_MS));
    if (!nats.isClosed() && !nats.isDraining()) message.respond(encode({ protocol: PROTOCOL, ...answer }));
  };
  const handlers = new Map<string, (message: Msg) => Promise<void>>([
    [subjects.roster, async message => answerWith(message, answerOf(await roster.members()))],
    [
      subjects.holder,
      async message => answerWith(message, await holderOf(roster, decode(holderRequest, message.data).address)),
    ],
  ]);
  const answer = async (message: Msg, handle: (message: Msg) => Promise<void>): Promise<void> => {
    try {
      await handle(message);
    } catch (error) {
      log.warn({ err: error, subject: message.subject }, 'a request could not be answered');
    }
  };
  for (const [subject, handle] of handlers) {
    nats.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) void answer(message, handle);
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
