import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

import { PUSH_SIGNATURE, streamOf, subjectsOf } from '../../../protocol/subjects.ts';
import type { Cluster } from '../cluster/cluster.ts';

/** Messages for one module that a controller signed. Every client that can subscribe to them can record them. */
export interface CapturedMessages {
  readonly module: string;
  /** The running revision. */
  readonly revision: string;
  readonly bundle: Uint8Array;
  /** The signature of the push that sent this bundle and committed the newest head. */
  readonly push: string;
  /** The newest head, and the one before it. */
  readonly head: Uint8Array;
  readonly oldHead: Uint8Array;
  /** A load command that fred has executed. */
  readonly loadCommand: Uint8Array;
}

/** Compiles a module onto fred, then pushes it twice. Returns the messages that were sent. */
export async function captureMessages(
  cluster: Cluster,
  module: string,
  sources: readonly [string, string],
): Promise<CapturedMessages> {
  const subjects = subjectsOf(cluster.cookie);
  await using nats = await connect(await cluster.natsOptions());
  const commands = nats.subscribe(subjects.node('fred', 'load'), { max: 1, timeout: 30_000 });
  await nats.flush();
  cluster.writeModule(module, sources[0]);
  await cluster.compile(module, 'fred');
  let loadCommand = new Uint8Array();
  for await (const { data } of commands) loadCommand = Uint8Array.from(data);
  await cluster.push(module);
  cluster.writeModule(module, sources[1]);
  const { revision } = await cluster.push(module);
  const { direct } = await jetstreamManager(nats, { checkAPI: false });
  const stream = streamOf(cluster.cookie);
  const heads: Uint8Array[] = [];
  const stored = await direct.getBatch(stream, { seq: 0, next_by_subj: subjects.head(module), batch: 16 });
  for await (const { data } of stored) heads.push(data);
  const [oldHead, head] = heads;
  const storedBundle = await direct.getMessage(stream, { last_by_subj: subjects.bundle(module, revision) });
  if (oldHead === undefined || head === undefined || storedBundle === null) throw new Error(`${module} was not pushed`);
  const push = storedBundle.header.get(PUSH_SIGNATURE);
  return { module, revision, bundle: storedBundle.data, push, head, oldHead, loadCommand };
}
