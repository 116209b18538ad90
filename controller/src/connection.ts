import { connect, type NatsConnection } from '@nats-io/transport-node';

import { CONNECTION } from '../../protocol/connection.ts';
import type { Logger } from './logger.ts';

/** Opens the process's one NATS connection. */
export async function openConnection(url: string, name: string, log: Logger): Promise<NatsConnection> {
  const connection = await connect({ ...CONNECTION, servers: url, name });
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
