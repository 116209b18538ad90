import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../../protocol/codec.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { onReconnect } from '../../../shared/nats/connection.ts';
import type { Packages } from '../packages/packages.ts';
import type { Bans } from '../watchdog/bans.ts';
import { heartbeatOf } from './heartbeat.ts';
import { describeNode } from './node-description.ts';
import type { LeftOut } from './left-out.ts';
import { bundlePreparer } from './prepare-bundle.ts';
import { createReconciler } from './reconciler.ts';
import { recordReader } from './record-reader.ts';
import { type AnsweringNode, handleRequests } from './request-handlers.ts';
import type { ReadyPackages } from '../modules/shell/expressions.ts';

export interface ClusterNodeDeps extends Omit<AnsweringNode, 'nats' | 'reconciler' | 'records'> {
  readonly nats: NatsConnection;
  readonly cookie: string;
  readonly packages: Packages;
  readonly bans: Bans;
  readonly leftOut: LeftOut;
}

/**
 * Starts the part of a node that talks to the cluster. Resolves when the node answers requests and runs what the heads in
 * the stream say. Its subscriptions end with the connection.
 */
export async function startClusterNode(deps: ClusterNodeDeps) {
  const { nats, cookie, identity, verifier, codeServer, loopDelay, bans, log } = deps;
  const subjects = subjectsOf(cookie);
  const records = await recordReader(nats, cookie, verifier, log);
  const prepare = bundlePreparer(codeServer, deps.packages, records);
  const readyPackages: ReadyPackages = bundle => deps.packages.prepare(bundle, records);
  const reconciler = createReconciler(identity.name, codeServer, records, log, deps.leftOut, prepare);
  const heartbeat = heartbeatOf(nats, subjects, () => {
    const description = describeNode({ ...deps, reconciler, records });
    // Each heartbeat reports the delay since the last one.
    loopDelay.reset();
    return description;
  });
  const stopRequests = await handleRequests({
    ...deps,
    subjects,
    prepare,
    readyPackages,
    reconciler,
    records,
    heartbeat,
  });
  await reconciler.start();
  void onReconnect(nats, reconciler.readHeads);
  const dispose = (): void => {
    heartbeat.stop();
    reconciler[Symbol.dispose]();
  };
  return {
    /** Starts the heartbeat, and reports the bans of this node. */
    announce: (): void => {
      heartbeat.start();
      for (const { script, detail } of bans.active) log.warn({ script }, `banned on this node: it ${detail}`);
      if (bans.active.length === 0) return;
      nats.publish(subjects.event(identity.name, 'stalled'), encode(describeNode({ ...deps, reconciler, records })));
    },
    /**
     * Publishes that the node leaves, in at most `leavesWithinMs` (milliseconds), and stops taking requests and heads. Resolves
     * when the server sends no more. Requests in progress are answered.
     */
    leave: async (leavesWithinMs: number): Promise<void> => {
      heartbeat.goodbye(leavesWithinMs);
      dispose();
      await stopRequests();
    },
    /** Publishes that no more answers come. The process ends in at most `leavesWithinMs` (milliseconds). */
    end: (leavesWithinMs: number): void => heartbeat.goodbye(leavesWithinMs, true),
    [Symbol.dispose]: dispose,
  };
}
