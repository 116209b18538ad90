import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

import type { Bundle } from '../../protocol/bundle.ts';
import type { Head } from '../../protocol/head.ts';
import { streamOf, type Subjects } from '../../protocol/subjects.ts';
import { type Gate, UntrustedError } from './gate.ts';

/** Reads the cluster's stream by direct get: no consumer, so a node costs the server nothing between reads. */
export class Store {
  readonly #manager: JetStreamManager;
  readonly #stream: string;
  readonly #subjects: Subjects;
  readonly #gate: Gate;

  private constructor(manager: JetStreamManager, stream: string, subjects: Subjects, gate: Gate) {
    this.#manager = manager;
    this.#stream = stream;
    this.#subjects = subjects;
    this.#gate = gate;
  }

  static async open(nats: NatsConnection, cookie: string, subjects: Subjects, gate: Gate): Promise<Store> {
    return new Store(await jetstreamManager(nats, { checkAPI: false }), streamOf(cookie), subjects, gate);
  }

  /** The newest head of every module, but for those that are not trusted: one of them must not hold the others. */
  async heads(): Promise<Head[]> {
    const messages = await this.#manager.direct.getLastMessagesFor(this.#stream, {
      multi_last: [this.#subjects.heads],
    });
    const heads: Head[] = [];
    for await (const { subject, data } of messages) {
      const head = this.#letIn(() => this.#gate.head(subject, data));
      if (head !== null) heads.push(head);
    }
    return heads;
  }

  /** A bundle by its revision; null when the stream has none. */
  async bundle(module: string, revision: string): Promise<Bundle | null> {
    const query = { last_by_subj: this.#subjects.bundle(module, revision) };
    const message = await this.#manager.direct.getMessage(this.#stream, query);
    return message === null ? null : this.#gate.bundle(message.subject, message.data);
  }

  #letIn<T>(read: () => T): T | null {
    try {
      return read();
    } catch (error) {
      if (error instanceof UntrustedError) return null;
      throw error;
    }
  }
}
