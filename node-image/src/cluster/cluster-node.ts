import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../../protocol/codec.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { startAnswering } from './request-handlers.ts';
import type { Bans } from '../watchdog/bans.ts';
import { Reconciler } from './reconciler.ts';
import type { CodeServer } from '../modules/code-server.ts';
import { onReconnect } from '../../../shared/nats/connection.ts';
import { describeNode, type Identity } from './node-description.ts';
import type { Verifier } from '../admission/verifier.ts';
import type { Logger } from '../../../shared/logger.ts';
import { Heartbeat } from './heartbeat.ts';
import { RecordReader } from './record-reader.ts';

export interface NodeParts {
  /** The node's own; it is the caller's to close. */
  readonly nats: NatsConnection;
  readonly cookie: string;
  readonly identity: Identity;
  readonly verifier: Verifier;
  readonly bans: Bans;
  readonly codeServer: CodeServer;
  /** How long a push waits for calls on an old version (milliseconds). */
  readonly purgeTimeoutMs: number;
  readonly log: Logger;
}

/** A node, but for what it has of its process: its modules come and go as the cluster's controller says. */
export class ClusterNode {
  readonly #parts: NodeParts;
  readonly #heartbeat: Heartbeat;

  private constructor(parts: NodeParts, heartbeat: Heartbeat) {
    this.#parts = parts;
    this.#heartbeat = heartbeat;
  }

  /** Resolves when the node answers, and runs what the heads of the stream say. */
  static async start(parts: NodeParts): Promise<ClusterNode> {
    const { nats, cookie, identity, verifier, codeServer, purgeTimeoutMs, log } = parts;
    const subjects = subjectsOf(cookie);
    const reconciler = new Reconciler(
      identity.name,
      codeServer,
      await RecordReader.open(nats, cookie, subjects, verifier),
      log,
    );
    const heartbeat = new Heartbeat(nats, subjects, () => describeNode(identity, codeServer, verifier));
    await startAnswering({
      nats,
      subjects,
      identity,
      verifier,
      codeServer,
      reconciler,
      heartbeat,
      purgeTimeoutMs,
      log,
    });
    await reconciler.readHeads();
    void onReconnect(nats, () => reconciler.readHeads());
    return new ClusterNode(parts, heartbeat);
  }

  /** Tells the cluster that the node is there, from now on, and at once what has brought it down before. */
  appear(): void {
    const { nats, cookie, identity, verifier, codeServer, bans, log } = this.#parts;
    const subjects = subjectsOf(cookie);
    this.#heartbeat.start();
    for (const { script, detail } of bans.active) log.warn({ script }, `banned on this node: it ${detail}`);
    if (bans.active.length > 0)
      nats.publish(subjects.event(identity.name, 'stalled'), encode(describeNode(identity, codeServer, verifier)));
  }

  /** Tells the cluster that the node is going. */
  goodbye(): void {
    this.#heartbeat.goodbye();
  }
}
