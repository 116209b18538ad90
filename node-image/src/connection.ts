import { connect, type NatsConnection } from '@nats-io/transport-node';

import { CONNECTION } from '../../protocol/connection.ts';
import type { Logger } from './logger.ts';

/** Calls `react` each time that a lost connection was made again. */
export async function onReconnect(connection: NatsConnection, react: () => Promise<void>): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'reconnect') await react();
  }
}

/** Opens the node's one NATS connection. */
export async function openConnection(url: string, container: string, log: Logger): Promise<NatsConnection> {
  const connection = await connect({ ...CONNECTION, servers: url, name: `hotcast-node ${container}` });
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
