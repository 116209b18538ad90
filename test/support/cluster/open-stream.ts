import { connect } from '@nats-io/transport-node';

import { openStore, type StreamStore } from '../../../controller/src/store/stream-store.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import type { Cluster } from './cluster.ts';
import { inboxPrefix } from '../../../protocol/inboxes.ts';

/** Opens the cluster's stream on this machine, with a controller's permissions. */
export async function openStream(cluster: Cluster): Promise<{ readonly store: StreamStore } & AsyncDisposable> {
  const nats = await connect({ ...(await cluster.natsOptions()), inboxPrefix: inboxPrefix('controller') });
  const { cookie } = cluster;
  const options = { cookie, subjects: subjectsOf(cookie), keyring: cluster.keys.keyring(cookie), maxBytes: 2 ** 30 };
  const store = await openStore(nats, options);
  return { store, [Symbol.asyncDispose]: () => nats.close() };
}
