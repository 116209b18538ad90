import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  PubHeaders,
  StorageType,
} from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';

import type { Bundle } from '../../../protocol/bundle.ts';
import { decode, encode } from '../../../protocol/codec.ts';
import { UnavailableError } from '../../../protocol/errors.ts';
import type { Head } from '../../../protocol/head.ts';
import { type HeadResult, headResultSchema } from '../../../protocol/head-result.ts';
import { HISTORY_LENGTH } from '../../../protocol/limits.ts';
import { encodeLoadCommand } from '../../../protocol/load-command.ts';
import { ANSWER_TO, FORCE, streamOf, type Subjects } from '../../../protocol/subjects.ts';
import { HeadReader, type LastHead } from './head-reader.ts';
import type { Keyring } from './keyring.ts';
import { StreamReader } from './stream-reader.ts';

/** NATS's error code: a stream of that name exists with another configuration. */
const STREAM_NAME_IN_USE = 10058;

/** The share of the stream for bundles. The rest is for heads and their results, so that a full stream can roll back. */
const BUNDLES_SHARE = 15 / 16;

/** What a bundle is stored under. */
export type BundleName = Pick<Bundle, 'module' | 'revision'>;

/** A head, and the position of the one that it was decided upon. */
export interface HeadWrite {
  readonly head: Head;
  readonly position: number;
}

/** The cookie's stream: bundles are written once, heads by compare-and-set. */
export class StreamStore {
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #stream: string;
  readonly #subjects: Subjects;
  readonly #keyring: Keyring;
  readonly #maxBytes: number;
  readonly #reader: StreamReader;
  readonly #heads: HeadReader;
  /** Heads as they were signed: a push sends the bytes that it has written. */
  readonly #signedHeads = new WeakMap<Head, Uint8Array>();

  private constructor(nats: NatsConnection, manager: JetStreamManager, options: StreamStoreOptions) {
    this.#client = jetstream(nats);
    this.#manager = manager;
    this.#stream = streamOf(options.cookie);
    this.#subjects = options.subjects;
    this.#keyring = options.keyring;
    this.#maxBytes = options.maxBytes;
    this.#reader = new StreamReader(manager, this.#stream);
    this.#heads = new HeadReader(this.#reader, this.#subjects, this.#keyring);
  }

  /** Opens the cookie's stream, and creates it when it does not exist. */
  static async open(nats: NatsConnection, options: StreamStoreOptions): Promise<StreamStore> {
    const store = new StreamStore(nats, await jetstreamManager(nats), options);
    await store.ensureStream();
    return store;
  }

  /** Creates the stream when it does not exist (at the first start, or after NATS lost its disk), or corrects its configuration. */
  async ensureStream(): Promise<void> {
    const config = {
      subjects: [this.#subjects.bundles, this.#subjects.heads, this.#subjects.headResults],
      storage: StorageType.File,
      max_msgs_per_subject: HISTORY_LENGTH,
      max_bytes: this.#maxBytes,
      // What nodes may need is never dropped to make room.
      discard: DiscardPolicy.New,
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

  /** How many bytes of bundles still fit in. */
  async room(): Promise<number> {
    const { state } = await this.#manager.streams.info(this.#stream);
    return Math.floor(this.#maxBytes * BUNDLES_SHARE) - state.bytes;
  }

  /** The last head of a module. */
  async lastHead(module: string): Promise<LastHead> {
    return this.#heads.last(module);
  }

  /** The last head of every module. */
  async heads(): Promise<Head[]> {
    return (await this.#heads.lastOfEach()).flatMap(({ head }) => head ?? []);
  }

  /** The kept heads of a module, oldest first. */
  async history(module: string): Promise<Head[]> {
    return this.#heads.history(module);
  }

  /**
   * Writes the last head of a module again where something else was written after it: an old head, or bytes that no key of this
   * cookie has signed. Nodes that start read the last message.
   *
   * @returns the modules.
   */
  async restoreHeads(): Promise<string[]> {
    const restored: string[] = [];
    for (const { head, position, isLast } of await this.#heads.lastOfEach()) {
      if (head !== null && !isLast && (await this.writeHeads([{ head, position }]))) restored.push(head.module);
    }
    return restored;
  }

  /**
   * Writes heads, all or none, each only if its module's last head is still at the position given with it.
   *
   * @returns false when another controller was faster; nothing is written then.
   */
  async writeHeads(writes: readonly HeadWrite[]): Promise<boolean> {
    const [first, ...rest] = writes;
    const last = rest.pop();
    if (first === undefined) return true;
    try {
      if (last === undefined) await this.#client.publish(...this.#headMessage(first));
      else {
        const batch = await this.#client.startBatch(...this.#headMessage(first));
        for (const write of rest) batch.add(...this.#headMessage(write));
        // The client's batch has no `expect` for its last message, so its header is set here (ADR-50).
        const header = headers();
        header.set(PubHeaders.ExpectedLastSubjectSequenceHdr, String(last.position));
        const [subject, signed] = this.#headMessage(last);
        await batch.commit(subject, signed, { headers: header, timeout: 5_000 });
      }
      return true;
    } catch (error) {
      if (isWrongLastSequence(error)) return false;
      if (error instanceof JetStreamApiError) throw error;
      const message = `NATS did not confirm the head of ${first.head.module}: it may be written or not (see: hotcast history)`;
      throw new UnavailableError(message, { cause: error });
    }
  }

  /** The last head result of every module. */
  async headResults(): Promise<HeadResult[]> {
    const messages = await this.#reader.lastOfEach(this.#subjects.headResults);
    return messages.map(({ data }) => decode(headResultSchema, data));
  }

  /** The kept head results of a module, oldest first. */
  async headResultHistory(module: string): Promise<HeadResult[]> {
    const messages = await this.#reader.kept(this.#subjects.headResult(module));
    return messages.map(({ data }) => decode(headResultSchema, data));
  }

  async writeHeadResult(result: HeadResult): Promise<void> {
    await this.#client.publish(this.#subjects.headResult(result.module), encode(result));
  }

  /** The packed bytes of a bundle; null when the stream has none that this cookie's controller has signed. */
  async bundle({ module, revision }: BundleName): Promise<Uint8Array | null> {
    const message = await this.#reader.last(this.#subjects.bundle(module, revision));
    return message === null ? null : this.#keyring.verify(message.subject, message.data);
  }

  /** The names of the bundles in the stream: those of a module, or all. */
  async bundles(module = '*'): Promise<BundleName[]> {
    return (await this.#reader.subjects(this.#subjects.bundle(module, '*'))).map(bundleNameIn);
  }

  /** Whether the stream has a bundle. Its bytes are not read. */
  async hasBundle({ module, revision }: BundleName): Promise<boolean> {
    return (await this.#reader.subjects(this.#subjects.bundle(module, revision))).length > 0;
  }

  async removeBundle({ module, revision }: BundleName): Promise<void> {
    await this.#manager.streams.purge(this.#stream, { filter: this.#subjects.bundle(module, revision) });
  }

  /**
   * Writes a bundle. With `answerTo`, an inbox, the same message has every subscribed node prepare it and answer there; with
   * `force`, also a node on which calls still run on an old version.
   *
   * A second write of a revision is refused by the stream and changes nothing: the bytes are the same.
   */
  async putBundle(
    { module, revision }: BundleName,
    packed: Uint8Array,
    { answerTo, force = false }: { readonly answerTo?: string; readonly force?: boolean } = {},
  ): Promise<void> {
    const header = headers();
    if (answerTo !== undefined) header.set(ANSWER_TO, answerTo);
    if (force) header.set(FORCE, '1');
    const subject = this.#subjects.bundle(module, revision);
    const signed = this.#keyring.sign(subject, packed);
    try {
      await this.#client.publish(subject, signed, { headers: header, expect: { lastSubjectSequence: 0 } });
    } catch (error) {
      if (!isWrongLastSequence(error)) throw error;
      // Somebody without the key may have written there.
      if ((await this.bundle({ module, revision })) === null) await this.#client.publish(subject, signed);
    }
  }

  /**
   * Signs with the present key what another key has signed: a module's last head, which stays the same, and its bundles.
   *
   * @returns how many records.
   */
  async signAgain(module: string): Promise<number> {
    let count = 0;
    const { head, position } = await this.lastHead(module);
    const last = await this.#reader.last(this.#subjects.head(module));
    if (head !== null && last !== null && !this.#keyring.isCurrent(last.data)) {
      this.#signedHeads.delete(head);
      // A controller that writes another head meanwhile signs it with the present key.
      if (await this.writeHeads([{ head, position }])) count += 1;
    }
    for (const { revision } of await this.bundles(module)) {
      const subject = this.#subjects.bundle(module, revision);
      const stored = await this.#reader.last(subject);
      if (stored === null || this.#keyring.isCurrent(stored.data)) continue;
      const packed = this.#keyring.verify(subject, stored.data);
      if (packed === null) continue;
      await this.#client.publish(subject, this.#keyring.sign(subject, packed));
      await this.#manager.streams.purge(this.#stream, { filter: subject, keep: 1 });
      count += 1;
    }
    return count;
  }

  /** A head in its envelope, the same bytes each time. */
  signHead(head: Head): Uint8Array {
    const signed = this.#signedHeads.get(head) ?? this.#keyring.sign(this.#subjects.head(head.module), encode(head));
    this.#signedHeads.set(head, signed);
    return signed;
  }

  /** A command for one node to load a packed bundle past the heads, in its envelope. */
  signLoadCommand(node: string, packed: Uint8Array): Uint8Array {
    const command = encodeLoadCommand({ at: performance.timeOrigin + performance.now(), packed });
    return this.#keyring.sign(this.#subjects.node(node, 'load'), command);
  }

  #headMessage({ head, position }: HeadWrite) {
    const expect = { expect: { lastSubjectSequence: position } };
    return [this.#subjects.head(head.module), this.signHead(head), expect] as const;
  }
}

export interface StreamStoreOptions {
  readonly cookie: string;
  readonly subjects: Subjects;
  readonly keyring: Keyring;
  /** How large the stream may become, bytes. */
  readonly maxBytes: number;
}

function bundleNameIn(subject: string): BundleName {
  const [module = '', revision = ''] = subject.split('.').slice(-2);
  return { module, revision };
}

function isWrongLastSequence(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError &&
    (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
      error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown)
  );
}
