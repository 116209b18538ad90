import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../protocol/codec.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import { startAnswering } from './answering.ts';
import type { Bans } from './bans.ts';
import { CatchUp } from './catch-up.ts';
import type { CodeServer } from './code-server.ts';
import { onReconnect } from './connection.ts';
import { describeNode, type Identity } from './describe.ts';
import type { Gate } from './gate.ts';
import type { Logger } from './logger.ts';
import { Presence } from './presence.ts';
import { Store } from './store.ts';

export interface NodeParts {
  /** The node's own; it is the caller's to close. */
  readonly nats: NatsConnection;
  readonly cookie: string;
  readonly identity: Identity;
  readonly gate: Gate;
  readonly bans: Bans;
  readonly codeServer: CodeServer;
  /** How long a push waits for calls on an old version (milliseconds). */
  readonly purgeMayTake: number;
  readonly log: Logger;
}

/** A node, but for what it has of its process: its modules come and go as the cluster's controller says. */
export class ClusterNode {
  readonly #parts: NodeParts;
  readonly #presence: Presence;

  private constructor(parts: NodeParts, presence: Presence) {
    this.#parts = parts;
    this.#presence = presence;
  }

  /** Resolves when the node answers, and runs what the heads of the stream say. */
  static async start(parts: NodeParts): Promise<ClusterNode> {
    const { nats, cookie, identity, gate, codeServer, purgeMayTake, log } = parts;
    const subjects = subjectsOf(cookie);
    const catchUp = new CatchUp(identity.name, codeServer, await Store.open(nats, cookie, subjects, gate), log);
    const presence = new Presence(nats, subjects, () => describeNode(identity, codeServer, gate));
    await startAnswering({ nats, subjects, identity, gate, codeServer, catchUp, presence, purgeMayTake, log });
    await catchUp.readHeads();
    void onReconnect(nats, () => catchUp.readHeads());
    return new ClusterNode(parts, presence);
  }

  /** Tells the cluster that the node is there, from now on, and at once what has brought it down before. */
  appear(): void {
    const { nats, cookie, identity, gate, codeServer, bans, log } = this.#parts;
    const subjects = subjectsOf(cookie);
    this.#presence.start();
    for (const { script, detail } of bans.active) log.warn({ script }, `banned on this node: it ${detail}`);
    if (bans.active.length > 0)
      nats.publish(subjects.event(identity.name, 'stalled'), encode(describeNode(identity, codeServer, gate)));
  }

  /** Tells the cluster that the node is going. */
  goodbye(): void {
    this.#presence.goodbye();
  }
}
