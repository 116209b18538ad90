import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

import type { Bundle } from '../../../protocol/bundle.ts';
import type { Head } from '../../../protocol/head.ts';
import { streamOf, type Subjects } from '../../../protocol/subjects.ts';
import { type Verifier, RejectedError } from '../admission/verifier.ts';

/** Reads the cluster's stream by direct get: no consumer, so a node costs the server nothing between reads. */
export class RecordReader {
  readonly #manager: JetStreamManager;
  readonly #stream: string;
  readonly #subjects: Subjects;
  readonly #verifier: Verifier;

  private constructor(manager: JetStreamManager, stream: string, subjects: Subjects, verifier: Verifier) {
    this.#manager = manager;
    this.#stream = stream;
    this.#subjects = subjects;
    this.#verifier = verifier;
  }

  static async open(
    nats: NatsConnection,
    cookie: string,
    subjects: Subjects,
    verifier: Verifier,
  ): Promise<RecordReader> {
    return new RecordReader(await jetstreamManager(nats, { checkAPI: false }), streamOf(cookie), subjects, verifier);
  }

  /** The newest head of every module, but for those that are not trusted: one of them must not hold the others. */
  async heads(): Promise<Head[]> {
    const messages = await this.#manager.direct.getLastMessagesFor(this.#stream, {
      multi_last: [this.#subjects.heads],
    });
    const heads: Head[] = [];
    for await (const { subject, data } of messages) {
      const head = this.#authorize(() => this.#verifier.head(subject, data));
      if (head !== null) heads.push(head);
    }
    return heads;
  }

  /** A bundle by its revision; null when the stream has none. */
  async bundle(module: string, revision: string): Promise<Bundle | null> {
    const query = { last_by_subj: this.#subjects.bundle(module, revision) };
    const message = await this.#manager.direct.getMessage(this.#stream, query);
    return message === null ? null : this.#verifier.bundle(message.subject, message.data);
  }

  #authorize<T>(read: () => T): T | null {
    try {
      return read();
    } catch (error) {
      if (error instanceof RejectedError) return null;
      throw error;
    }
  }
}
