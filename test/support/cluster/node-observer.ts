import { createInbox, connect, type NatsConnection } from '@nats-io/transport-node';

import { decode } from '../../../protocol/codec.ts';
import { type NodeDescription, nodeDescription } from '../../../protocol/messages.ts';
import { type Subjects, subjectsOf } from '../../../protocol/subjects.ts';
import type { Cluster } from './cluster.ts';
import { inboxPrefix } from '../../../protocol/inboxes.ts';

/** The timeout for the answers of the nodes (milliseconds). */
const TIMEOUT_MS = 20_000;

/** Asks the nodes of a cluster for their descriptions, over NATS and without a controller. */
export class NodeObserver implements AsyncDisposable {
  readonly #nats: NatsConnection;
  readonly #subjects: Subjects;
  readonly #nodes: number;

  private constructor(nats: NatsConnection, subjects: Subjects, nodes: number) {
    this.#nats = nats;
    this.#subjects = subjects;
    this.#nodes = nodes;
  }

  static async connect(cluster: Cluster): Promise<NodeObserver> {
    const nats = await connect(await cluster.natsOptions());
    return new NodeObserver(nats, subjectsOf(cluster.cookie), cluster.nodeNames.length);
  }

  /** The description of every node, by its name. @throws TimeoutError when a node is silent. */
  async nodes(): Promise<Map<string, NodeDescription>> {
    const inbox = createInbox(inboxPrefix('controller'));
    const answers = this.#nats.subscribe(`${inbox}.*`, { max: this.#nodes, timeout: TIMEOUT_MS });
    this.#nats.publish(this.#subjects.all('describe'), '{}', { reply: inbox });
    const all = new Map<string, NodeDescription>();
    for await (const { data } of answers) {
      const description = decode(nodeDescription, data);
      all.set(description.node, description);
    }
    return all;
  }

  /** What stays equal as long as nothing is loaded and no process ends: the process and the revisions of each node. */
  async snapshot(): Promise<unknown[]> {
    const nodes = [...(await this.nodes()).values()].toSorted((a, b) => a.node.localeCompare(b.node));
    return nodes.map(({ node, container, pid, startedAt, modules, refusals }) => {
      const running = Object.entries(modules).map(([module, { revision, sequence }]) => [module, revision, sequence]);
      const refused = Object.entries(refusals).map(([module, { sequence, reason }]) => [module, sequence, reason]);
      return { node, container, pid, startedAt, running, refused };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nats.close();
  }
}
