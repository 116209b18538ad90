import { connect, type NatsConnection } from '@nats-io/transport-node';

import type { Logger } from './logger.ts';

/** Calls `react` each time that a lost connection was made again. */
export async function onReconnect(connection: NatsConnection, react: () => Promise<void>): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'reconnect') await react();
  }
}

/**
 * Opens the node's one NATS connection: waits for the server as long as it takes, and reconnects for ever.
 * A server that went away without a word is noticed within three pings, 6 seconds.
 */
export async function openConnection(url: string, container: string, log: Logger): Promise<NatsConnection> {
  const connection = await connect({
    servers: url,
    name: `hotcast-node ${container}`,
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    pingInterval: 2_000,
    maxPingOut: 2,
    ignoreAuthErrorAbort: true,
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
