import { connect, type NatsConnection } from '@nats-io/transport-node';

import { CONNECTION_OPTIONS } from '../../shared/nats/options.ts';
import { PASSWORD } from './nats-users.ts';

/** Connects as a process of the cluster does, but by a name and a password. */
export async function connectAs(user: string, inboxPrefix: string): Promise<NatsConnection> {
  return connect({
    ...CONNECTION_OPTIONS,
    timeout: 60_000,
    servers: 'nats://127.0.0.1:4222',
    user,
    pass: PASSWORD,
    inboxPrefix,
  });
}
