import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { decode } from '@nats-io/jwt';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import * as v from 'valibot';

import { readJsonFiles } from '../../../../shared/files.ts';
import { startHealthFile } from '../../../../shared/health-file.ts';
import type { Logger } from '../../../../shared/logger.ts';
import { drainConnection } from '../../../../shared/nats/shutdown.ts';
import { ISSUER_SEED_FILE, PUBLIC_KEYS_FOLDER, readPublicKeys } from '../../nats-auth/public-keys.ts';
import { authorize, connectRequestSchema } from './authorize.ts';
import { signingPair } from '../../../../shared/nats/nkey.ts';
import type { NameNode } from './node-names.ts';
import { closeRevoked, operatorsFromController } from './operators.ts';

/** The subject of NATS's authorization requests (ADR-26). */
const REQUESTS = '$SYS.REQ.USER.AUTH';

/** The timeout for sending what is left when the service stops. */
const DRAIN_TIMEOUT_MS = 500;

interface AuthCalloutDeps {
  readonly nats: NatsConnection;
  /** The folder with the issuer's seed and the public keys of all cookies. */
  readonly keysDir: string;
  readonly nameNode: NameNode;
  readonly healthFile: string;
  readonly log: Logger;
}

/** Admits nodes and operators to NATS, each under its name, and no other client. It ends the connection with itself. */
export function createAuthCallout({ nats, keysDir, nameNode, healthFile, log }: AuthCalloutDeps): AsyncDisposable {
  const issuer = signingPair(readFileSync(join(keysDir, ISSUER_SEED_FILE)));
  const findOperator = operatorsFromController(nats);
  const clustersNow = () => readJsonFiles(join(keysDir, PUBLIC_KEYS_FOLDER)).map(readPublicKeys);
  const decide = async (token: string): Promise<string> => {
    const request = v.parse(connectRequestSchema, decode(token).nats);
    const answer = await authorize({ request, nameNode, findOperator }, clustersNow(), issuer);
    if (answer.status === 'refused')
      log.warn({ address: request.client_info.host, detail: answer.detail }, 'a client was not admitted');
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
  // A new cookie needs a restart of NATS, which makes all containers of it anew.
  for (const { cookie } of clustersNow()) closeRevoked(nats, cookie, findOperator, log);
  const health = startHealthFile(healthFile, nats, log);
  return {
    [Symbol.asyncDispose]: () => {
      health[Symbol.dispose]();
      return drainConnection(nats, DRAIN_TIMEOUT_MS);
    },
  };
}
