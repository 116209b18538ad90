import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../../protocol/codec.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import type { Logger } from '../../../shared/logger.ts';
import { onReconnect } from '../../../shared/nats/connection.ts';
import type { Bans } from '../watchdog/bans.ts';
import { Heartbeat } from './heartbeat.ts';
import { type DescribedNode, describeNode } from './node-description.ts';
import { Reconciler } from './reconciler.ts';
import { recordReader } from './record-reader.ts';
import { handleRequests } from './request-handlers.ts';

export interface ClusterNodeDeps extends DescribedNode {
  readonly nats: NatsConnection;
  readonly cookie: string;
  readonly bans: Bans;
  /** How long a push waits for calls on an old version (milliseconds). */
  readonly purgeTimeoutMs: number;
  readonly log: Logger;
}

/** The part of a node that talks to the cluster. Its subscriptions end with the connection. */
export class ClusterNode implements Disposable {
  readonly #deps: ClusterNodeDeps;
  readonly #reconciler: Reconciler;
  readonly #heartbeat: Heartbeat;

  private constructor(deps: ClusterNodeDeps, reconciler: Reconciler) {
    this.#deps = deps;
    this.#reconciler = reconciler;
    this.#heartbeat = new Heartbeat(deps.nats, subjectsOf(deps.cookie), () => {
      const description = describeNode(deps);
      // Each heartbeat reports the delay since the last one.
      deps.loopDelay.reset();
      return description;
    });
  }

  /** Resolves when the node answers requests and runs what the heads in the stream say. */
  static async start(deps: ClusterNodeDeps): Promise<ClusterNode> {
    const { nats, cookie, identity, verifier, codeServer, log } = deps;
    const subjects = subjectsOf(cookie);
    const reconciler = new Reconciler(identity.name, codeServer, await recordReader(nats, cookie, verifier), log);
    const node = new ClusterNode(deps, reconciler);
    await handleRequests({ ...deps, subjects, reconciler, heartbeat: node.#heartbeat });
    await reconciler.readHeads();
    void onReconnect(nats, () => reconciler.readHeads());
    return node;
  }

  /** Starts the heartbeat, and reports the bans of this node. */
  announce(): void {
    const { nats, cookie, identity, bans, log } = this.#deps;
    this.#heartbeat.start();
    for (const { script, detail } of bans.active) log.warn({ script }, `banned on this node: it ${detail}`);
    if (bans.active.length === 0) return;
    nats.publish(subjectsOf(cookie).event(identity.name, 'stalled'), encode(describeNode(this.#deps)));
  }

  /** Publishes that the node leaves, and stops the heartbeat. */
  goodbye(): void {
    this.#heartbeat.goodbye();
  }

  [Symbol.dispose](): void {
    this.#heartbeat.stop();
    this.#reconciler[Symbol.dispose]();
  }
}
