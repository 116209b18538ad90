import { connect } from '@nats-io/transport-node';

import { StreamStore } from '../../controller/src/store/stream-store.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import type { Cluster } from './cluster.ts';
import { inboxPrefix } from '../../protocol/inboxes.ts';

/** Reads and writes the cluster's stream from this machine, as a controller does. */
export async function openStream(cluster: Cluster): Promise<{ readonly store: StreamStore } & AsyncDisposable> {
  const nats = await connect({ ...(await cluster.natsOptions()), inboxPrefix: inboxPrefix('controller') });
  const store = await StreamStore.open(
    nats,
    cluster.cookie,
    subjectsOf(cluster.cookie),
    cluster.keys.keyring(cluster.cookie),
    2 ** 30,
  );
  return { store, [Symbol.asyncDispose]: () => nats.close() };
}
