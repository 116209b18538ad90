import { createInbox, connect, type NatsConnection } from '@nats-io/transport-node';

import { decode } from '../../protocol/codec.ts';
import { type NodeDescription, nodeDescription } from '../../protocol/messages.ts';
import { type Subjects, subjectsOf } from '../../protocol/subjects.ts';
import type { Cluster } from './cluster.ts';
import { inboxPrefix } from '../../protocol/inboxes.ts';

/** A node answers within this time (milliseconds). */
const DEADLINE = 20_000;

/** Sees on the cluster's NATS how its nodes are, without the way over a controller. */
export class Witness implements AsyncDisposable {
  readonly #nats: NatsConnection;
  readonly #subjects: Subjects;
  readonly #nodes: number;

  private constructor(nats: NatsConnection, subjects: Subjects, nodes: number) {
    this.#nats = nats;
    this.#subjects = subjects;
    this.#nodes = nodes;
  }

  static async of(cluster: Cluster): Promise<Witness> {
    const nats = await connect(await cluster.natsOptions());
    return new Witness(nats, subjectsOf(cluster.cookie), cluster.names.length);
  }

  /** What every node says of itself, by its name. @throws TimeoutError when one is silent. */
  async nodes(): Promise<Map<string, NodeDescription>> {
    const inbox = createInbox(inboxPrefix('controller'));
    const answers = this.#nats.subscribe(`${inbox}.*`, { max: this.#nodes, timeout: DEADLINE });
    this.#nats.publish(this.#subjects.all('describe'), '{}', { reply: inbox });
    const all = new Map<string, NodeDescription>();
    for await (const { data } of answers) {
      const description = decode(nodeDescription, data);
      all.set(description.node, description);
    }
    return all;
  }

  /** What does not change while nothing is loaded and no process ends: who runs what since when, by node. */
  async standing(): Promise<unknown[]> {
    const nodes = [...(await this.nodes()).values()].toSorted((a, b) => a.node.localeCompare(b.node));
    return nodes.map(({ node, container, pid, startedAt, modules, refusals }) => {
      const running = Object.entries(modules).map(([module, { revision, sequence }]) => [module, revision, sequence]);
      return { node, container, pid, startedAt, running, refusals };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nats.close();
  }
}
