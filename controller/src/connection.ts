import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { connect, nkeyAuthenticator, type NatsConnection } from '@nats-io/transport-node';

import type { ClusterConfig } from '../../protocol/config.ts';
import { CONNECTION, inboxPrefix, NATS_CA, NATS_SEED, type Role } from '../../protocol/connection.ts';
import type { Logger } from './logger.ts';

/**
 * The door is back before the nodes where NATS was started again: whoever comes while it is away waits until his connection
 * times out, which is 5 seconds. Milliseconds.
 */
const DOOR_FIRST = { reconnectTimeWait: 50, reconnectJitter: 0, reconnectJitterTLS: 0 };

/** Opens the process's one NATS connection. */
export async function openConnection(
  { natsUrl, keysDir }: Pick<ClusterConfig, 'natsUrl' | 'keysDir'>,
  role: Role | 'door',
  log: Logger,
): Promise<NatsConnection> {
  const authority = join(keysDir, NATS_CA);
  const connection = await connect({
    ...CONNECTION,
    servers: natsUrl,
    name: `hotcast-${role}`,
    inboxPrefix: inboxPrefix(role),
    authenticator: nkeyAuthenticator(() => readFileSync(join(keysDir, NATS_SEED))),
    ...(role === 'door' ? DOOR_FIRST : {}),
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
