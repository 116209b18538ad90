import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

import { streamOf, subjectsOf } from '../../protocol/subjects.ts';
import type { Cluster } from './cluster.ts';

/** What a listener has got that a controller once sealed for one module. */
export interface Loot {
  readonly module: string;
  /** Of the revision that runs. */
  readonly revision: string;
  readonly bundle: Uint8Array;
  /** The head that stands, and the one before it. */
  readonly head: Uint8Array;
  readonly oldHead: Uint8Array;
  /** An order that fred once obeyed. */
  readonly order: Uint8Array;
}

/** Pushes a module twice, and an order to fred before that; takes away what went over the wire. */
export async function loot(cluster: Cluster, module: string, sources: readonly [string, string]): Promise<Loot> {
  const subjects = subjectsOf(cluster.cookie);
  await using nats = await connect(await cluster.natsOptions());
  const orders = nats.subscribe(subjects.node('fred', 'load'), { max: 1, timeout: 30_000 });
  await nats.flush();
  cluster.writeModule(module, sources[0]);
  await cluster.compile(module, 'fred');
  let order = new Uint8Array();
  for await (const { data } of orders) order = Uint8Array.from(data);
  await cluster.push(module);
  cluster.writeModule(module, sources[1]);
  const { revision } = await cluster.push(module);
  const { direct } = await jetstreamManager(nats, { checkAPI: false });
  const stream = streamOf(cluster.cookie);
  const heads: Uint8Array[] = [];
  const kept = await direct.getBatch(stream, { seq: 0, next_by_subj: subjects.head(module), batch: 16 });
  for await (const { data } of kept) heads.push(data);
  const [oldHead, head] = heads;
  const stored = await direct.getMessage(stream, { last_by_subj: subjects.bundle(module, revision) });
  if (oldHead === undefined || head === undefined || stored === null) throw new Error(`${module} was not pushed`);
  return { module, revision, bundle: stored.data, head, oldHead, order };
}
