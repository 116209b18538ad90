import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { connect, nkeyAuthenticator, type NatsConnection } from '@nats-io/transport-node';

import type { ClusterConfig } from '../../protocol/config.ts';
import { CONNECTION, inboxPrefix, NATS_CA, NATS_SEED, type Role } from '../../protocol/connection.ts';
import type { Logger } from './logger.ts';

/** Opens the process's one NATS connection. */
export async function openConnection(
  { natsUrl, keysDir }: ClusterConfig,
  role: Role,
  log: Logger,
): Promise<NatsConnection> {
  const authority = join(keysDir, NATS_CA);
  const connection = await connect({
    ...CONNECTION,
    servers: natsUrl,
    name: `hotcast-${role}`,
    inboxPrefix: inboxPrefix(role),
    authenticator: nkeyAuthenticator(() => readFileSync(join(keysDir, NATS_SEED))),
    ...(existsSync(authority) ? { tls: { caFile: authority } } : {}),
  });
  void logStatus(connection, log);
  return connection;
}

async function logStatus(connection: NatsConnection, log: Logger): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') log.warn({ server: status.server }, 'disconnected from NATS, reconnecting');
    else if (status.type === 'reconnect') log.info({ server: status.server }, 'reconnected to NATS');
    else if (status.type === 'error') log.error({ err: status.error }, 'NATS reported an error');
  }
}
