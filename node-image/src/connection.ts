import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { connect, nkeyAuthenticator, type NatsConnection } from '@nats-io/transport-node';

import type { ClusterConfig } from '../../protocol/config.ts';
import { CONNECTION, inboxPrefix, NATS_CA, NATS_SEED } from '../../protocol/connection.ts';
import type { Logger } from './logger.ts';

/** Calls `react` each time that a lost connection was made again. */
export async function onReconnect(connection: NatsConnection, react: () => Promise<void>): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'reconnect') await react();
  }
}

/** Opens the node's one NATS connection. */
export async function openConnection(
  { natsUrl, keysDir }: ClusterConfig,
  container: string,
  log: Logger,
): Promise<NatsConnection> {
  const authority = join(keysDir, NATS_CA);
  const connection = await connect({
    ...CONNECTION,
    servers: natsUrl,
    name: `hotcast-node ${container}`,
    inboxPrefix: inboxPrefix('node'),
    authenticator: nkeyAuthenticator(() => readFileSync(join(keysDir, NATS_SEED))),
    ...(existsSync(authority) ? { tls: { caFile: authority } } : {}),
  });
  void logStatus(connection, log);
  return connection;
}

async function logStatus(connection: NatsConnection, log: Logger): Promise<void> {
  for await (const status of connection.status()) {
    switch (status.type) {
      case 'disconnect':
        log.warn({ server: status.server }, 'disconnected from NATS, reconnecting');
        break;
      case 'reconnect':
        log.info({ server: status.server }, 'reconnected to NATS');
        break;
      case 'error':
        log.error({ err: status.error }, 'NATS reported an error');
        break;
      default:
        log.debug({ status }, 'NATS status');
    }
  }
}
