import { EventEmitter, once } from 'node:events';

import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';

import type { Keyring } from '../../../controller/src/store/keyring.ts';
import { decode } from '../../../protocol/codec.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { type Head, headSchema } from '../../../protocol/head.ts';
import { prepareAnswer } from '../../../protocol/messages.ts';
import { ANSWER_TO, subjectsOf } from '../../../protocol/subjects.ts';
import type { Cluster } from './cluster.ts';

/** The timeout of everything that this class waits for (milliseconds). */
const TIMEOUT_MS = 30_000;

/** Observes the progress of pushes on the cluster's NATS. */
export class PushObserver implements AsyncDisposable {
  /** The subjects of all bundles that were sent. */
  readonly bundles: string[] = [];
  /** All heads that were sent, in order. With one controller, each of them was also stored. */
  readonly heads: Head[] = [];
  readonly #nats: NatsConnection;
  readonly #keyring: Keyring;
  /** The inboxes of the pushes. */
  readonly #inboxes = new Set<string>();
  /** The nodes that have prepared, by inbox. NATS can deliver an answer here before the bundle that it answers. */
  readonly #prepared = new Map<string, Set<string>>();
  readonly #received = new EventEmitter();

  private constructor(nats: NatsConnection, keyring: Keyring) {
    this.#nats = nats;
    this.#keyring = keyring;
  }

  /** Observes everything that is sent after this resolves. */
  static async start(cluster: Cluster): Promise<PushObserver> {
    const nats = await connect(await cluster.natsOptions());
    const observer = new PushObserver(nats, cluster.keys.keyring(cluster.cookie));
    const { bundles, heads } = subjectsOf(cluster.cookie);
    nats.subscribe(bundles, { callback: (_, message) => observer.#onBundle(message) });
    nats.subscribe(heads, { callback: (_, message) => observer.#onHead(message) });
    nats.subscribe('_INBOX.>', { callback: (_, message) => observer.#onAnswer(message) });
    await nats.flush();
    return observer;
  }

  /** Resolves when this number of nodes has prepared each of this number of pushes. */
  async waitForPrepared(nodes: number, pushes = 1): Promise<void> {
    await this.#waitUntil(() => this.#preparedByPush().filter(({ size }) => size >= nodes).length >= pushes);
  }

  /** Resolves when a head was sent that matches; earlier heads count too. */
  async waitForHead(matches: (head: Head) => boolean): Promise<void> {
    await this.#waitUntil(() => this.heads.some(matches));
  }

  /** Resolves when everything that was sent before has been received. */
  async flush(): Promise<void> {
    await this.#nats.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nats.close();
  }

  #onBundle({ subject, headers }: Msg): void {
    this.bundles.push(subject);
    const inbox = headers?.get(ANSWER_TO);
    if (inbox) this.#inboxes.add(inbox);
    this.#received.emit('message');
  }

  #onHead({ subject, data }: Msg): void {
    const opened = this.#keyring.verify(subject, data);
    const head = opened === null ? null : decode(headSchema, opened);
    // Without an answer in time, a head is sent again. The stream takes it once.
    const isNew = (sent: Head): boolean =>
      !this.heads.some(({ module, sequence }) => module === sent.module && sequence === sent.sequence);
    if (head !== null && isNew(head)) this.heads.push(head);
    this.#received.emit('message');
  }

  #onAnswer({ subject, data }: Msg): void {
    const node = preparedNode(data);
    if (node === null) return;
    const inbox = subject.slice(0, subject.lastIndexOf('.'));
    const nodes = this.#prepared.get(inbox) ?? new Set();
    this.#prepared.set(inbox, nodes.add(node));
    this.#received.emit('message');
  }

  /** The nodes that have prepared, one set for each push. */
  #preparedByPush(): ReadonlySet<string>[] {
    return [...this.#inboxes].map(inbox => this.#prepared.get(inbox) ?? new Set());
  }

  async #waitUntil(condition: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    while (!condition()) {
      await once(this.#received, 'message', { signal }).catch((cause: unknown) => {
        const prepared = this.#preparedByPush()
          .map(nodes => [...nodes].join(' ') || 'no node')
          .join('; ');
        const seen = `${this.bundles.length} bundles, prepared by: ${prepared}; ${this.heads.length} heads`;
        throw new Error(`timeout after ${TIMEOUT_MS} ms; seen: ${seen}`, { cause });
      });
    }
  }
}

/** The node that has prepared; null when the message is another one. */
function preparedNode(data: Uint8Array): string | null {
  try {
    const answer = decode(prepareAnswer, data);
    return answer.status === 'prepared' ? answer.node : null;
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}
