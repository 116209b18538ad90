import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';

/** How a node's link to NATS is. Whatever it is, a controller's link is well. */
export type Link =
  /** All is well. */
  | 'open'
  /** All arrives, a little later. */
  | 'slow'
  /** What is sent to the node waits until a test delivers it, in any order. */
  | 'held'
  /** All arrives, and what is sent to the node is kept, to arrive once more. */
  | 'twice'
  /** The node hears nothing, and can read the stream. */
  | 'deaf'
  /** All arrives, and what the node reads of heads is a write old: it asks a replica of the stream that is behind. */
  | 'behind'
  /** The node hears all, and nobody hears it. */
  | 'mute'
  /** Neither, and the node can't read the stream. */
  | 'cut';

export const LINKS: readonly Link[] = ['open', 'slow', 'held', 'twice', 'deaf', 'behind', 'mute', 'cut'];

/** How late a slow link is (milliseconds). */
const DELAY = 10;

/** As much of NATS's message as Hotcast uses. */
export interface Message {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly reply?: string | undefined;
  readonly headers?: MsgHdrs | undefined;
}

type Options = Pick<Message, 'reply' | 'headers'>;
type Deliver = (error: null, message: Message) => void;

/** Something on its way to a node. */
export interface Held {
  readonly node: string;
  readonly what: 'message' | 'reading';
  readonly arrive: () => void;
}

/** NATS without its stream, in memory: subjects, and links that lose, hold and repeat. */
export class Network {
  readonly #links = new Map<string, Link>();
  readonly #connections = new Set<Connection>();
  /** What waits on held links, the oldest first. */
  readonly held: Held[] = [];
  /** Told of every message that somebody hears. */
  onHeard = (_hearer: Connection, _message: Message): void => undefined;

  linkOf(node: string): Link {
    return this.#links.get(node) ?? 'open';
  }

  setLink(node: string, link: Link): void {
    this.#links.set(node, link);
  }

  /** Whether a question to the node, asked now, is answered in time. */
  answers(node: string): boolean {
    return ['open', 'slow', 'twice', 'behind'].includes(this.linkOf(node));
  }

  /** Whether the node waits for something that it reads of the stream. */
  isReading(node: string): boolean {
    return this.held.some(held => held.node === node && held.what === 'reading');
  }

  /** @param node null for a controller. */
  connect(node: string | null): Connection {
    const connection = new Connection(this, node);
    this.#connections.add(connection);
    return connection;
  }

  publish(from: string | null, message: Message): void {
    if (from !== null && ['mute', 'cut'].includes(this.linkOf(from))) return;
    for (const connection of this.#connections) {
      for (const subscription of connection.subscriptions) {
        if (!matches(subscription.pattern, message.subject)) continue;
        this.#travel(connection.node, () => {
          if (!this.#connections.has(connection) || !connection.subscriptions.has(subscription)) return;
          this.onHeard(connection, message);
          subscription.deliver(null, message);
        });
      }
    }
  }

  /** What a node reads of the stream; it is as of now, however late it arrives. */
  async read<T>(node: string, value: T): Promise<T> {
    const link = this.linkOf(node);
    if (link === 'cut') throw new Error('NATS is out of reach');
    if (link === 'slow') await new Promise(resolve => setTimeout(resolve, DELAY));
    if (link === 'held') {
      await new Promise<void>(resolve => this.held.push({ node, what: 'reading', arrive: () => resolve() }));
    }
    return value;
  }

  close(connection: Connection): void {
    this.#connections.delete(connection);
  }

  #travel(node: string | null, arrive: () => void): void {
    const link = node === null ? 'open' : this.linkOf(node);
    if (link === 'deaf' || link === 'cut') return;
    if (node !== null && (link === 'held' || link === 'twice')) this.held.push({ node, what: 'message', arrive });
    if (link === 'slow') setTimeout(arrive, DELAY);
    else if (link !== 'held') queueMicrotask(arrive);
  }
}

/** As much of NATS's connection as Hotcast uses. */
export class Connection {
  readonly node: string | null;
  readonly #network: Network;
  readonly subscriptions = new Set<{ readonly pattern: string; readonly deliver: Deliver }>();

  constructor(network: Network, node: string | null) {
    this.node = node;
    this.#network = network;
  }

  get nats(): NatsConnection {
    return this as unknown as NatsConnection;
  }

  subscribe(pattern: string, { callback }: { callback: Deliver }) {
    const subscription = { pattern, deliver: callback };
    this.subscriptions.add(subscription);
    return { unsubscribe: () => this.subscriptions.delete(subscription) };
  }

  publish(subject: string, data: Uint8Array, options: Options = {}): void {
    this.#network.publish(this.node, { subject, data, ...options });
  }

  async flush(): Promise<void> {
    await Promise.resolve();
  }

  /** Its process is gone. */
  close(): void {
    this.#network.close(this);
  }
}

function matches(pattern: string, subject: string): boolean {
  const [expected, actual] = [pattern.split('.'), subject.split('.')];
  return expected.length === actual.length && expected.every((token, at) => token === '*' || token === actual[at]);
}
