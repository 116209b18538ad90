import { EventEmitter, once } from 'node:events';

import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';

import type { Keyring } from '../../controller/src/store/keyring.ts';
import { decode } from '../../protocol/codec.ts';
import { type Head, headSchema } from '../../protocol/head.ts';
import { prepareAnswer } from '../../protocol/messages.ts';
import { ANSWER_TO, subjectsOf } from '../../protocol/subjects.ts';
import type { Cluster } from './cluster.ts';

/** What is waited for happens within this time (milliseconds). */
const DEADLINE = 30_000;

/** Sees on the cluster's NATS how far pushes are. */
export class PushWatch implements AsyncDisposable {
  /** The subject of every bundle that was sent. */
  readonly bundles: string[] = [];
  /** Every head that was sent, in order; with one controller, each was written. */
  readonly heads: Head[] = [];
  readonly #nats: NatsConnection;
  readonly #keyring: Keyring;
  /** The nodes that have prepared, by the inbox that a push has them answer to. */
  readonly #prepared = new Map<string, Set<string>>();
  readonly #seen = new EventEmitter();

  private constructor(nats: NatsConnection, keyring: Keyring) {
    this.#nats = nats;
    this.#keyring = keyring;
  }

  /** Whatever is sent from then on is seen. */
  static async start(cluster: Cluster): Promise<PushWatch> {
    const nats = await connect(await cluster.natsOptions());
    const watch = new PushWatch(nats, cluster.keys.keyring(cluster.cookie));
    const { bundles, heads } = subjectsOf(cluster.cookie);
    nats.subscribe(bundles, { callback: (_, message) => watch.#onBundle(message) });
    nats.subscribe(heads, { callback: (_, message) => watch.#onHead(message) });
    // Answers are seen on the connection that saw the bundle, so never before it.
    nats.subscribe('_INBOX.>', { callback: (_, message) => watch.#onAnswer(message) });
    await nats.flush();
    return watch;
  }

  /** Resolves when so many nodes have prepared what each of so many pushes sent. */
  async prepared(nodes: number, pushes = 1): Promise<void> {
    await this.#until(() => [...this.#prepared.values()].filter(({ size }) => size >= nodes).length >= pushes);
  }

  /** Resolves when a head is sent that fits; one that was sent already counts. */
  async sentHead(fits: (head: Head) => boolean): Promise<void> {
    await this.#until(() => this.heads.some(fits));
  }

  /** Resolves when everything that was sent before has been seen. */
  async settled(): Promise<void> {
    await this.#nats.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nats.close();
  }

  #onBundle({ subject, headers }: Msg): void {
    this.bundles.push(subject);
    const inbox = headers?.get(ANSWER_TO);
    if (inbox) this.#prepared.set(inbox, new Set());
    this.#seen.emit('message');
  }

  #onHead({ subject, data }: Msg): void {
    const opened = this.#keyring.verify(subject, data);
    if (opened !== null) this.heads.push(decode(headSchema, opened));
    this.#seen.emit('message');
  }

  #onAnswer({ subject, data }: Msg): void {
    const nodes = this.#prepared.get(subject.slice(0, subject.lastIndexOf('.')));
    if (nodes === undefined) return;
    const answer = decode(prepareAnswer, data);
    if (answer.status === 'prepared') nodes.add(answer.node);
    this.#seen.emit('message');
  }

  async #until(condition: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(DEADLINE);
    while (!condition()) {
      await once(this.#seen, 'message', { signal }).catch((cause: unknown) => {
        const prepared = [...this.#prepared.values()].map(nodes => [...nodes].join(' ') || 'nobody').join('; ');
        const seen = `${this.bundles.length} bundles, prepared by: ${prepared}; ${this.heads.length} heads`;
        throw new Error(`not within ${DEADLINE} ms; seen: ${seen}`, { cause });
      });
    }
  }
}
