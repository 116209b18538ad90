import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { decode } from '@nats-io/jwt';
import type { Msg } from '@nats-io/transport-node';
import * as v from 'valibot';

import { inboxPrefix } from '../../../../protocol/inboxes.ts';
import { readJsonFiles } from '../../../../shared/files.ts';
import type { Logger } from '../../../../shared/logger.ts';
import { openConnection } from '../../../../shared/nats/connection.ts';
import { drainConnection } from '../../../../shared/nats/shutdown.ts';
import { reverseDns } from '../../../../shared/reverse-dns.ts';
import { runService } from '../../../../shared/run-service.ts';
import { ISSUER_SEED, readPublicKeys, USERS } from '../keygen/make-keys.ts';
import { authorize, connectRequestSchema } from './authorize.ts';
import { type AuthCalloutConfig, loadConfig } from './config.ts';
import { signingPair } from './nkey.ts';

/** Where NATS asks whether a client may connect (ADR-26). */
const REQUESTS = '$SYS.REQ.USER.AUTH';

/**
 * After a restart of NATS this service reconnects before the nodes do: a client that connects while nobody answers for it waits
 * for its connection timeout, 5 seconds. Milliseconds.
 */
const RECONNECT_FIRST = { reconnectTimeWait: 50, reconnectJitter: 0 };

/** How long the service waits when it stops until everything is sent (milliseconds). */
const DRAIN_TIMEOUT_MS = 500;

/** Admits nodes to NATS, each under the name that follows from its address, and nobody else. */
async function startAuthCallout(config: AuthCalloutConfig, log: Logger): Promise<AsyncDisposable> {
  const issuer = signingPair(readFileSync(join(config.keysDir, ISSUER_SEED)));
  const options = { name: 'hotcast-auth-callout', inboxPrefix: inboxPrefix('auth-callout'), ...RECONNECT_FIRST };
  const nats = await openConnection(config, options, log);
  const decide = async (question: string): Promise<string> => {
    const request = v.parse(connectRequestSchema, decode(question).nats);
    const address = request.client_info.host;
    const host = await reverseDns(address);
    const clusters = readJsonFiles(join(config.keysDir, USERS)).map(readPublicKeys);
    const { token, name } = await authorize({ request, host }, clusters, issuer);
    if (name === null) log.warn({ address, host }, 'a client was not admitted');
    return token;
  };
  const answer = async (question: Msg): Promise<void> => {
    try {
      question.respond(await decide(question.string()));
    } catch (error) {
      log.warn({ err: error }, 'a request of NATS could not be answered');
    }
  };
  nats.subscribe(REQUESTS, {
    callback: (error, question) => {
      if (error === null) void answer(question);
    },
  });
  log.info({ readyMs: Math.round(performance.now()) }, 'ready');
  return { [Symbol.asyncDispose]: () => drainConnection(nats, DRAIN_TIMEOUT_MS) };
}

await runService({ name: 'hotcast-auth-callout', loadConfig, start: startAuthCallout });
