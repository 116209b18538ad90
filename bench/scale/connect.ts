import { connect, type NatsConnection } from '@nats-io/transport-node';

import { CONNECTION } from '../../protocol/connection.ts';
import { PASSWORD } from './nats-users.ts';

/** Connects as a process of the cluster does, but by a name and a password. */
export async function connectAs(user: string, inboxPrefix: string): Promise<NatsConnection> {
  return connect({
    ...CONNECTION,
    timeout: 60_000,
    servers: 'nats://127.0.0.1:4222',
    user,
    pass: PASSWORD,
    inboxPrefix,
  });
}
