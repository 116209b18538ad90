import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { nkeyAuthenticator, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';

import type { ClusterConfig } from '../cluster-config.ts';
import type { Logger } from '../logger.ts';
import { connectDirectly } from './direct-transport.ts';
import { CONNECTION_OPTIONS, NATS_CA_FILE, NATS_SEED_FILE } from './options.ts';

/** The options that differ between the processes. NATS's own tools show the `name`. */
type ConnectionOptions = Pick<
  NodeConnectionOptions,
  'inboxPrefix' | 'reconnectTimeWait' | 'reconnectJitter' | 'waitOnFirstConnect' | 'pingInterval' | 'timeout'
> & {
  readonly name: string;
};

/** Opens the one NATS connection of a process, with the keys of its own folder. Resolves when NATS has accepted it. */
export async function openConnection(
  { natsUrl, keysDir }: Pick<ClusterConfig, 'natsUrl' | 'keysDir'>,
  options: ConnectionOptions,
  log: Logger,
): Promise<NatsConnection> {
  const authority = join(keysDir, NATS_CA_FILE);
  const connection = await connectDirectly({
    ...CONNECTION_OPTIONS,
    ...options,
    servers: natsUrl.split(','),
    authenticator: nkeyAuthenticator(() => readFileSync(join(keysDir, NATS_SEED_FILE))),
    ...(existsSync(authority) ? { tls: { caFile: authority } } : {}),
  });
  void logStatus(connection, log);
  return connection;
}

/** Calls `react` each time that a lost connection is restored. Resolves when the connection is closed. */
export async function onReconnect(connection: NatsConnection, react: () => Promise<void>): Promise<void> {
  for await (const { type } of connection.status()) if (type === 'reconnect') await react();
}

async function logStatus(connection: NatsConnection, log: Logger): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') log.warn({ server: status.server }, 'disconnected from NATS, reconnecting');
    else if (status.type === 'reconnect') log.info({ server: status.server }, 'reconnected to NATS');
    else if (status.type === 'error') log.error({ err: status.error }, 'NATS reported an error');
  }
}
