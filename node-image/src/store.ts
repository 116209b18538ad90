import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

import { type Bundle, decodeBundle } from '../../protocol/bundle.ts';
import { decode } from '../../protocol/codec.ts';
import { type Head, headSchema } from '../../protocol/head.ts';
import { streamOf, type Subjects } from '../../protocol/subjects.ts';

/** Reads the cluster's stream by direct get: no consumer, so a node costs the server nothing between reads. */
export class Store {
  readonly #manager: JetStreamManager;
  readonly #stream: string;
  readonly #subjects: Subjects;

  private constructor(manager: JetStreamManager, stream: string, subjects: Subjects) {
    this.#manager = manager;
    this.#stream = stream;
    this.#subjects = subjects;
  }

  static async open(nats: NatsConnection, cookie: string, subjects: Subjects): Promise<Store> {
    return new Store(await jetstreamManager(nats, { checkAPI: false }), streamOf(cookie), subjects);
  }

  /** The newest head of every module. */
  async heads(): Promise<Head[]> {
    const messages = await this.#manager.direct.getLastMessagesFor(this.#stream, {
      multi_last: [this.#subjects.heads],
    });
    const heads: Head[] = [];
    for await (const message of messages) heads.push(decode(headSchema, message.data));
    return heads;
  }

  /** A bundle by its revision; null when the stream has none. */
  async bundle(module: string, revision: string): Promise<Bundle | null> {
    const query = { last_by_subj: this.#subjects.bundle(module, revision) };
    const message = await this.#manager.direct.getMessage(this.#stream, query);
    return message === null ? null : decodeBundle(message.data);
  }
}
