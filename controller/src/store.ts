import {
  type Batch,
  JetStreamApiCodes,
  JetStreamApiError,
  JetStreamError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  PubHeaders,
  StorageType,
  type StoredMsg,
} from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import type * as v from 'valibot';

import type { Bundle } from '../../protocol/bundle.ts';
import { decode, encode } from '../../protocol/codec.ts';
import { UnavailableError } from '../../protocol/errors.ts';
import { type Head, headSchema } from '../../protocol/head.ts';
import { KEPT_HEADS } from '../../protocol/limits.ts';
import { type Outcome, outcomeSchema } from '../../protocol/outcome.ts';
import { ANSWER_TO, FORCE, lastToken, streamOf, type Subjects } from '../../protocol/subjects.ts';

/** NATS's error code: there is a stream of that name, and its configuration differs. */
const STREAM_NAME_IN_USE = 10058;

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
    const store = new Store(jetstream(nats), await jetstreamManager(nats), streamOf(cookie), subjects);
    await store.ensureStream();
    return store;
  }

  /** Makes the stream when it is not there, at the first start and when NATS lost its disk, or has it as it should be. */
  async ensureStream(): Promise<void> {
    const config = {
      subjects: [this.#subjects.bundles, this.#subjects.heads, this.#subjects.outcomes],
      storage: StorageType.File,
      max_msgs_per_subject: KEPT_HEADS,
      allow_direct: true,
      allow_atomic: true,
    };
    try {
      await this.#manager.streams.add({ name: this.#stream, ...config });
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NAME_IN_USE) throw error;
      await this.#manager.streams.update(this.#stream, config);
    }
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
    return this.#lastOfEach(this.#subjects.heads, headSchema);
  }

  /** The newest outcome of every module. */
  async outcomes(): Promise<Outcome[]> {
    return this.#lastOfEach(this.#subjects.outcomes, outcomeSchema);
  }

  /** The kept heads of a module, oldest first. */
  async history(module: string): Promise<Head[]> {
    return this.#all(this.#subjects.head(module), headSchema);
  }

  /** The kept outcomes of a module's heads, oldest first. */
  async outcomeHistory(module: string): Promise<Outcome[]> {
    return this.#all(this.#subjects.outcome(module), outcomeSchema);
  }

  async writeOutcome(outcome: Outcome): Promise<void> {
    await this.#client.publish(this.#subjects.outcome(outcome.module), encode(outcome));
  }

  /** The packed bytes of a bundle; null when the stream has none. */
  async bundle(module: string, revision: string): Promise<Uint8Array | null> {
    const query = { last_by_subj: this.#subjects.bundle(module, revision) };
    return (await this.#manager.direct.getMessage(this.#stream, query))?.data ?? null;
  }

  /** The revisions of a module that have a bundle in the stream. */
  async bundles(module: string): Promise<string[]> {
    const filter = this.#subjects.bundle(module, '*');
    const info = await this.#manager.streams.info(this.#stream, { subjects_filter: filter });
    return Object.keys(info.state.subjects ?? {}).map(lastToken);
  }

  async removeBundle(module: string, revision: string): Promise<void> {
    await this.#manager.streams.purge(this.#stream, { filter: this.#subjects.bundle(module, revision) });
  }

  /**
   * Writes a bundle. The same message reaches every subscribed node, which answers to `answerTo`.
   *
   * A second write of a revision is refused by the stream and changes nothing: the bytes are the same.
   */
  async putBundle(
    { module, revision }: Pick<Bundle, 'module' | 'revision'>,
    packed: Uint8Array,
    answerTo: string | null,
    force: boolean,
  ): Promise<void> {
    const header = headers();
    if (answerTo !== null) header.set(ANSWER_TO, answerTo);
    if (force) header.set(FORCE, '1');
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
   * Writes heads, all or none, each only if its module's last head is still at the position given with it.
   *
   * @returns false when another controller was faster; nothing is written then.
   */
  async writeHeads(writes: readonly { readonly head: Head; readonly position: number }[]): Promise<boolean> {
    const [first, ...rest] = writes;
    const last = rest.pop();
    if (first === undefined) return true;
    try {
      if (last === undefined) await this.#client.publish(...this.#write(first));
      else {
        const batch = await this.#client.startBatch(...this.#write(first));
        for (const write of rest) batch.add(...this.#write(write));
        await this.#commitBatch(batch, last);
      }
      return true;
    } catch (error) {
      if (isWrongLastSequence(error)) return false;
      if (error instanceof JetStreamApiError) throw error;
      const message = `NATS did not confirm the head of ${first.head.module}: whether it stands is not known (see: hotcast history)`;
      throw new UnavailableError(message, { cause: error });
    }
  }

  #write({ head, position }: { head: Head; position: number }) {
    const expect = { expect: { lastSubjectSequence: position } };
    return [this.#subjects.head(head.module), encode(head), expect] as const;
  }

  /** The client's batch has no `expect` for its last message, so its header is set by hand (ADR-50). */
  async #commitBatch(batch: Batch, { head, position }: { head: Head; position: number }): Promise<void> {
    const header = headers();
    header.set(PubHeaders.ExpectedLastSubjectSequenceHdr, String(position));
    await batch.commit(this.#subjects.head(head.module), encode(head), { headers: header, timeout: 5_000 });
  }

  async #lastOfEach<TSchema extends v.GenericSchema>(subject: string, schema: TSchema) {
    const messages = await this.#manager.direct.getLastMessagesFor(this.#stream, { multi_last: [subject] });
    return this.#decodeAll(messages, schema);
  }

  async #all<TSchema extends v.GenericSchema>(subject: string, schema: TSchema) {
    const query = { seq: 0, next_by_subj: subject, batch: KEPT_HEADS };
    try {
      return await this.#decodeAll(await this.#manager.direct.getBatch(this.#stream, query), schema);
    } catch (error) {
      if (isNothingThere(error)) return [];
      throw error;
    }
  }

  async #decodeAll<TSchema extends v.GenericSchema>(messages: AsyncIterable<StoredMsg>, schema: TSchema) {
    const decoded: v.InferOutput<TSchema>[] = [];
    for await (const message of messages) decoded.push(decode(schema, message.data));
    return decoded;
  }
}

function isWrongLastSequence(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError &&
    (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
      error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown)
  );
}

/** Whether NATS says that the stream has no message on a subject. */
function isNothingThere(error: unknown): boolean {
  return error instanceof JetStreamError && 'code' in error && error.code === 404;
}
