import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  StorageType,
} from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';

import type { Bundle } from '../../protocol/bundle.ts';
import { decode, encode } from '../../protocol/codec.ts';
import { type Head, headSchema } from '../../protocol/head.ts';
import { KEPT_HEADS } from '../../protocol/limits.ts';
import { ANSWER_TO, streamOf, type Subjects } from '../../protocol/subjects.ts';

/** A module's last head, with the stream's own sequence number of it (0: there is none): what a write compares with. */
export interface LastHead {
  readonly head: Head | null;
  readonly position: number;
}

/** The cluster's stream, written: bundles once, heads by compare-and-set. */
export class Store {
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #stream: string;
  readonly #subjects: Subjects;

  private constructor(client: JetStreamClient, manager: JetStreamManager, stream: string, subjects: Subjects) {
    this.#client = client;
    this.#manager = manager;
    this.#stream = stream;
    this.#subjects = subjects;
  }

  /** Opens the cookie's stream, and makes it when it is not there. */
  static async open(nats: NatsConnection, cookie: string, subjects: Subjects): Promise<Store> {
    const manager = await jetstreamManager(nats);
    const store = new Store(jetstream(nats), manager, streamOf(cookie), subjects);
    await manager.streams.add({
      name: streamOf(cookie),
      subjects: [subjects.bundles, subjects.heads],
      storage: StorageType.File,
      max_msgs_per_subject: KEPT_HEADS,
      allow_direct: true,
    });
    return store;
  }

  /** The last head of a module. */
  async lastHead(module: string): Promise<LastHead> {
    const query = { last_by_subj: this.#subjects.head(module) };
    const message = await this.#manager.direct.getMessage(this.#stream, query);
    return message === null
      ? { head: null, position: 0 }
      : { head: decode(headSchema, message.data), position: message.seq };
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

  /**
   * Writes a bundle. The same message reaches every subscribed node, which answers to `answerTo`.
   *
   * A second write of a revision is refused by the stream and changes nothing: the bytes are the same.
   */
  async putBundle({ module, revision }: Bundle, packed: Uint8Array, answerTo: string): Promise<void> {
    const header = headers();
    header.set(ANSWER_TO, answerTo);
    try {
      await this.#client.publish(this.#subjects.bundle(module, revision), packed, {
        headers: header,
        expect: { lastSubjectSequence: 0 },
      });
    } catch (error) {
      if (!isWrongLastSequence(error)) throw error;
    }
  }

  /**
   * Writes a head, only if `position` is still where its module's last head is.
   *
   * @returns false when another controller was faster; nothing is written then.
   */
  async writeHead(head: Head, position: number): Promise<boolean> {
    try {
      const expect = { lastSubjectSequence: position };
      await this.#client.publish(this.#subjects.head(head.module), encode(head), { expect });
      return true;
    } catch (error) {
      if (isWrongLastSequence(error)) return false;
      throw error;
    }
  }
}

function isWrongLastSequence(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError &&
    (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
      error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown)
  );
}
