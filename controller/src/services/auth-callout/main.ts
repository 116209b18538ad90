import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { decode } from '@nats-io/jwt';
import type { Msg } from '@nats-io/transport-node';
import * as v from 'valibot';

import { inboxPrefix } from '../../../../protocol/inboxes.ts';
import { CLUSTER_SETTINGS, PROJECT } from '../../../../shared/cluster-config.ts';
import { readJsonFiles } from '../../../../shared/files.ts';
import { startHealthFile } from '../../../../shared/health-file.ts';
import type { Logger } from '../../../../shared/logger.ts';
import { openConnection } from '../../../../shared/nats/connection.ts';
import { drainConnection } from '../../../../shared/nats/shutdown.ts';
import { reverseDns } from '../../../../shared/reverse-dns.ts';
import { runService } from '../../../../shared/run-service.ts';
import { readSettings, type Values } from '../../../../shared/environment.ts';
import { ISSUER_SEED_FILE, PUBLIC_KEYS_FOLDER, readPublicKeys } from '../../nats-auth/public-keys.ts';
import { authorize, connectRequestSchema } from './authorize.ts';
import { signingPair } from './nkey.ts';

const SETTINGS = { ...CLUSTER_SETTINGS, project: PROJECT };

/** The subject of NATS's authorization requests (ADR-26). */
const REQUESTS = '$SYS.REQ.USER.AUTH';

/**
 * After a restart of NATS this service has to reconnect before the nodes do: a client that connects earlier waits for its
 * connection timeout of 5 seconds. Milliseconds.
 */
const RECONNECT_FIRST = { reconnectTimeWait: 50, reconnectJitter: 0 };

/** The file that it touches while NATS answers. The container's health check reads its age. */
const HEALTH_FILE = '/run/hotcast/alive';

/** The timeout for sending what is left when the service stops. */
const DRAIN_TIMEOUT_MS = 500;

/** Admits nodes to NATS, each under the name that follows from its address, and no other client. */
async function startAuthCallout(config: Values<typeof SETTINGS>, log: Logger): Promise<AsyncDisposable> {
  const issuer = signingPair(readFileSync(join(config.keysDir, ISSUER_SEED_FILE)));
  const options = { name: 'hotcast-auth-callout', inboxPrefix: inboxPrefix('auth-callout'), ...RECONNECT_FIRST };
  const nats = await openConnection(config, options, log);
  const decide = async (token: string): Promise<string> => {
    const request = v.parse(connectRequestSchema, decode(token).nats);
    const address = request.client_info.host;
    const host = await reverseDns(address);
    const clusters = readJsonFiles(join(config.keysDir, PUBLIC_KEYS_FOLDER)).map(readPublicKeys);
    const answer = await authorize({ request, host, project: config.project }, clusters, issuer);
    if (answer.name === null) log.warn({ address, host }, 'a client was not admitted');
    return answer.token;
  };
  const respond = async (message: Msg): Promise<void> => {
    try {
      message.respond(await decide(message.string()));
    } catch (error) {
      log.warn({ err: error }, 'an authorization request could not be answered');
    }
  };
  nats.subscribe(REQUESTS, {
    callback: (error, message) => {
      if (error === null) void respond(message);
    },
  });
  const health = startHealthFile(HEALTH_FILE, nats, log);
  log.info({ readyMs: Math.round(performance.now()) }, 'ready');
  return {
    [Symbol.asyncDispose]: () => {
      health[Symbol.dispose]();
      return drainConnection(nats, DRAIN_TIMEOUT_MS);
    },
  };
}

await runService({
  name: 'hotcast-auth-callout',
  // It serves every cookie of its NATS server, so its keys are not in the folder of one.
  loadConfig: (env, warn) => readSettings(env, SETTINGS, warn),
  start: startAuthCallout,
});
