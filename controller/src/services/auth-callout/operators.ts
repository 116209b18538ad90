import type { NatsConnection } from '@nats-io/transport-node';
import * as v from 'valibot';

import { decode, encode } from '../../../../protocol/codec.ts';
import {
  type OperatorAnswer,
  operatorAnswer,
  type OperatorChange,
  operatorChange,
  type OperatorRequest,
  operatorUser,
} from '../../../../protocol/operators/operator.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import type { Logger } from '../../../../shared/logger.ts';

/** How long the controller has to answer (milliseconds). Without one, an operator can do nothing. */
const CONTROLLER_TIMEOUT_MS = 2_000;

/** How long the servers have to say which connections they have (milliseconds). */
const SERVERS_TIMEOUT_MS = 1_000;

export type FoundOperator = OperatorAnswer | { readonly status: 'unavailable'; readonly detail: string };

/** Asks which operator of a cookie has a key. */
export type FindOperator = (cookie: string, key: string) => Promise<FoundOperator>;

/** The cookie that a client names that says that it is an operator; null for every other client. */
export function cookieOfOperator(clientName: string): string | null {
  return /^hotcast-operator ([A-Za-z0-9_-]{1,64})$/.exec(clientName)?.[1] ?? null;
}

/** The controller of a cookie knows its operators. Its answer is no proof of anything to itself: it verifies what an operator sends. */
export function operatorsFromController(nats: Pick<NatsConnection, 'request'>): FindOperator {
  return async (cookie, key) => {
    try {
      const request = encode({ key } satisfies OperatorRequest);
      const { data } = await nats.request(subjectsOf(cookie).operatorKey, request, { timeout: CONTROLLER_TIMEOUT_MS });
      return decode(operatorAnswer, data);
    } catch {
      return { status: 'unavailable', detail: 'the controller does not say which operator it is' };
    }
  };
}

/** What a server of NATS says of its connections. */
const connections = v.object({
  server: v.object({ id: v.string() }),
  data: v.object({ connections: v.array(v.object({ cid: v.number(), authorized_user: v.optional(v.string()) })) }),
});

/**
 * Closes the connections of operators that are gone, when the controller says that one may be. The message alone closes nothing: the
 * controller is asked.
 */
export function closeRevoked(nats: NatsConnection, cookie: string, findOperator: FindOperator, log: Logger): void {
  const close = async (change: OperatorChange): Promise<void> => {
    const found = await findOperator(cookie, change.key);
    if (found.status !== 'unknown') return;
    const user = operatorUser(change);
    const query = { auth: true, acc: cookie, user, limit: 1_024 };
    const answers = await nats.requestMany('$SYS.REQ.SERVER.PING.CONNZ', JSON.stringify(query), {
      strategy: 'stall',
      maxWait: SERVERS_TIMEOUT_MS,
      stall: 100,
    });
    for await (const answer of answers) {
      const { server, data } = decode(connections, answer.data);
      for (const { cid, authorized_user: has } of data.connections) {
        if (has !== user) continue;
        // A server does nothing without somebody to answer. Another auth callout can be first.
        await nats.request(`$SYS.REQ.SERVER.${server.id}.KICK`, JSON.stringify({ cid }), {
          timeout: SERVERS_TIMEOUT_MS,
        });
        log.info({ cookie, operator: change.name }, 'closed the connection of an operator that was revoked');
      }
    }
  };
  const closeOrWarn = async (data: Uint8Array): Promise<void> => {
    try {
      await close(decode(operatorChange, data));
    } catch (error) {
      log.warn({ err: error }, 'the connections of an operator could not be closed');
    }
  };
  nats.subscribe(subjectsOf(cookie).operatorChange, {
    callback: (error, { data }) => {
      if (error === null) void closeOrWarn(data);
    },
  });
}
