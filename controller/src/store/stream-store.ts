import {
  type Batch,
  DiscardPolicy,
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

import type { Bundle } from '../../../protocol/bundle.ts';
import { decode, encode } from '../../../protocol/codec.ts';
import { UnavailableError } from '../../../protocol/errors.ts';
import { type Head, headSchema } from '../../../protocol/head.ts';
import { encodeLoadCommand } from '../../../protocol/load-command.ts';
import { HISTORY_LENGTH } from '../../../protocol/limits.ts';
import { type HeadResult, headResultSchema } from '../../../protocol/head-result.ts';
import { ANSWER_TO, FORCE, lastToken, streamOf, type Subjects } from '../../../protocol/subjects.ts';
import type { Keyring } from './keyring.ts';

/** NATS's error code: there is a stream of that name, and its configuration differs. */
const STREAM_NAME_IN_USE = 10058;

/** Bundles may take so much of the stream: a full one still takes heads, which lead back or off, and their headResults. */
const BUNDLES_SHARE = 15 / 16;

/** What a bundle is stored under. */
export type BundleName = Pick<Bundle, 'module' | 'revision'>;

/** A module's last head, with the stream's own sequence number of it (0: there is none): what a write compares with. */
export interface LastHead {
  readonly head: Head | null;
  readonly position: number;
}

/** And whether it is what the stream has last on its subject, and when that was written: positions begin again with a stream. */
interface ReadHead extends LastHead {
  readonly time: string;
  readonly isLast: boolean;
}

/** The cluster's stream, written: bundles once, heads by compare-and-set. */
export class StreamStore {
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #stream: string;
  readonly #subjects: Subjects;
  readonly #keyring: Keyring;
  readonly #mayHold: number;
  /** By them an old head that is played again is known; what is at a known position is not opened again. */
  readonly #newestHeads = new Map<string, ReadHead>();
  /** Heads as they were sealed: a push sends what it has written. */
  readonly #signedHeads = new WeakMap<Head, Uint8Array>();

  private constructor(
    client: JetStreamClient,
    manager: JetStreamManager,
    stream: string,
    subjects: Subjects,
    keyring: Keyring,
    mayHold: number,
  ) {
    this.#client = client;
    this.#manager = manager;
    this.#stream = stream;
    this.#subjects = subjects;
    this.#keyring = keyring;
    this.#mayHold = mayHold;
  }

  /**
   * Opens the cookie's stream, and makes it when it is not there.
   *
   * @param mayHold how much it may hold, bytes.
   */
  static async open(
    nats: NatsConnection,
    cookie: string,
    subjects: Subjects,
    keyring: Keyring,
    mayHold: number,
  ): Promise<StreamStore> {
    const manager = await jetstreamManager(nats);
    const store = new StreamStore(jetstream(nats), manager, streamOf(cookie), subjects, keyring, mayHold);
    await store.ensureStream();
    return store;
  }

  /** Makes the stream when it is not there, at the first start and when NATS lost its disk, or has it as it should be. */
  async ensureStream(): Promise<void> {
    const config = {
      subjects: [this.#subjects.bundles, this.#subjects.heads, this.#subjects.headResults],
      storage: StorageType.File,
      max_msgs_per_subject: HISTORY_LENGTH,
      max_bytes: this.#mayHold,
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

  /** How many bytes of bundles fit in. */
  async room(): Promise<number> {
    const { state } = await this.#manager.streams.info(this.#stream);
    return Math.floor(this.#mayHold * BUNDLES_SHARE) - state.bytes;
  }

  /** The last head of a module. */
  async lastHead(module: string): Promise<LastHead> {
    const message = await this.#newest(this.#subjects.head(module));
    return message === null ? { head: null, position: 0 } : this.#lastHeadIn(message);
  }

  /** The newest head of every module. */
  async heads(): Promise<Head[]> {
    return (await this.#lastHeads()).flatMap(({ head }) => head ?? []);
  }

  /**
   * Writes the newest head of a module again where something else was written after it: an old one, or what no key of this
   * cookie has sealed. Nodes that start read the last.
   *
   * @returns the modules.
   */
  async restoreHeads(): Promise<string[]> {
    const restored: string[] = [];
    for (const { head, position, isLast } of await this.#lastHeads()) {
      if (head !== null && !isLast && (await this.writeHeads([{ head, position }]))) restored.push(head.module);
    }
    return restored;
  }

  /** The newest outcome of every module. */
  async headResults(): Promise<HeadResult[]> {
    return this.#decodeAll(await this.#lastOfEach(this.#subjects.headResults), headResultIn);
  }

  /** The kept heads of a module, oldest first. */
  async history(module: string): Promise<Head[]> {
    const heads = await this.#all(this.#subjects.head(module), message => this.#headIn(message));
    // One that was sealed again, or played again by somebody, is there twice.
    const known = new Map(heads.map(head => [head.sequence, head]));
    return [...known.values()].toSorted((a, b) => a.sequence - b.sequence);
  }

  /** The kept headResults of a module's heads, oldest first. */
  async headResultHistory(module: string): Promise<HeadResult[]> {
    return this.#all(this.#subjects.headResult(module), headResultIn);
  }

  async writeHeadResult(outcome: HeadResult): Promise<void> {
    await this.#client.publish(this.#subjects.headResult(outcome.module), encode(outcome));
  }

  /** The packed bytes of a bundle; null when the stream has none that this cookie's controller has sealed. */
  async bundle(module: string, revision: string): Promise<Uint8Array | null> {
    const message = await this.#newest(this.#subjects.bundle(module, revision));
    return message === null ? null : this.#keyring.verify(message.subject, message.data);
  }

  /** The names of the bundles in the stream: a module's, or all. */
  async bundles(module = '*'): Promise<BundleName[]> {
    const filter = this.#subjects.bundle(module, '*');
    const info = await this.#manager.streams.info(this.#stream, { subjects_filter: filter });
    return Object.keys(info.state.subjects ?? {}).map(bundleNameIn);
  }

  async removeBundle(module: string, revision: string): Promise<void> {
    await this.#manager.streams.purge(this.#stream, { filter: this.#subjects.bundle(module, revision) });
  }

  /**
   * Seals again what the key of now has not sealed: a module's newest head, which stays the same, and its bundles.
   *
   * @returns how many records.
   */
  async reseal(module: string): Promise<number> {
    let count = 0;
    const { head, position } = await this.lastHead(module);
    const newest = await this.#newest(this.#subjects.head(module));
    if (head !== null && newest !== null && !this.#keyring.isCurrent(newest.data)) {
      // Who writes another one meanwhile seals it with the key of now.
      if (await this.writeHeads([{ head, position }])) count += 1;
    }
    for (const { revision } of await this.bundles(module)) {
      const subject = this.#subjects.bundle(module, revision);
      const stored = await this.#newest(subject);
      if (stored === null || this.#keyring.isCurrent(stored.data)) continue;
      const packed = this.#keyring.verify(subject, stored.data);
      if (packed === null) continue;
      await this.#client.publish(subject, this.#keyring.sign(subject, packed));
      await this.#manager.streams.purge(this.#stream, { filter: subject, keep: 1 });
      count += 1;
    }
    return count;
  }

  /** An order that one node load a packed bundle past the heads. */
  signLoadCommand(node: string, packed: Uint8Array): Uint8Array {
    const order = encodeLoadCommand({ at: performance.timeOrigin + performance.now(), packed });
    return this.#keyring.sign(this.#subjects.node(node, 'load'), order);
  }

  /** A head as nodes take it, the same bytes each time. */
  signHead(head: Head): Uint8Array {
    const sealed = this.#signedHeads.get(head) ?? this.#keyring.sign(this.#subjects.head(head.module), encode(head));
    this.#signedHeads.set(head, sealed);
    return sealed;
  }

  /**
   * Writes a bundle. The same message reaches every subscribed node, which answers to `answerTo`.
   *
   * A second write of a revision is refused by the stream and changes nothing: the bytes are the same.
   */
  async putBundle(bundle: BundleName, packed: Uint8Array, answerTo: string | null, force: boolean): Promise<void> {
    const header = headers();
    if (answerTo !== null) header.set(ANSWER_TO, answerTo);
    if (force) header.set(FORCE, '1');
    const { module, revision } = bundle;
    const subject = this.#subjects.bundle(module, revision);
    const sealed = this.#keyring.sign(subject, packed);
    try {
      await this.#client.publish(subject, sealed, { headers: header, expect: { lastSubjectSequence: 0 } });
    } catch (error) {
      if (!isWrongLastSequence(error)) throw error;
      // Somebody without the key may have written there.
      if ((await this.bundle(module, revision)) === null) await this.#client.publish(subject, sealed);
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
      const message = `NATS did not awaitCommit the head of ${first.head.module}: whether it stands is not known (see: hotcast history)`;
      throw new UnavailableError(message, { cause: error });
    }
  }

  #write({ head, position }: { head: Head; position: number }) {
    const expect = { expect: { lastSubjectSequence: position } };
    return [this.#subjects.head(head.module), this.signHead(head), expect] as const;
  }

  /** The client's batch has no `expect` for its last message, so its header is set by hand (ADR-50). */
  async #commitBatch(batch: Batch, { head, position }: { head: Head; position: number }): Promise<void> {
    const header = headers();
    header.set(PubHeaders.ExpectedLastSubjectSequenceHdr, String(position));
    await batch.commit(this.#subjects.head(head.module), this.signHead(head), { headers: header, timeout: 5_000 });
  }

  async #newest(subject: string): Promise<StoredMsg | null> {
    return this.#manager.direct.getMessage(this.#stream, { last_by_subj: subject });
  }

  async #lastHeads(): Promise<ReadHead[]> {
    const messages: StoredMsg[] = [];
    for await (const message of await this.#lastOfEach(this.#subjects.heads)) messages.push(message);
    return Promise.all(messages.map(message => this.#lastHeadIn(message)));
  }

  /** The newest head of the module whose last message this is: mostly that message, else what was there before it. */
  async #lastHeadIn(message: StoredMsg): Promise<ReadHead> {
    const module = lastToken(message.subject);
    const known = this.#newestHeads.get(module);
    if (known?.position === message.seq && known.time === message.timestamp) return known;
    const written = this.#headIn(message);
    let newest = known?.head ?? null;
    const sequence = newest?.sequence ?? Infinity;
    if (written !== null && written.sequence > sequence) newest = written;
    else newest = newestOf(newest, (await this.history(module)).at(-1) ?? null);
    const isLast = newest?.sequence === written?.sequence;
    const read = { head: newest, position: message.seq, time: message.timestamp, isLast };
    this.#newestHeads.set(module, read);
    return read;
  }

  /** A head as it was written; null when it was not sealed by this cookie's controller. */
  #headIn({ subject, data }: StoredMsg): Head | null {
    const payload = this.#keyring.verify(subject, data);
    return payload === null ? null : decode(headSchema, payload);
  }

  async #lastOfEach(subject: string): Promise<AsyncIterable<StoredMsg>> {
    return this.#manager.direct.getLastMessagesFor(this.#stream, { multi_last: [subject] });
  }

  async #all<T>(subject: string, read: (message: StoredMsg) => T | null): Promise<T[]> {
    const query = { seq: 0, next_by_subj: subject, batch: HISTORY_LENGTH };
    try {
      return await this.#decodeAll(await this.#manager.direct.getBatch(this.#stream, query), read);
    } catch (error) {
      if (isNothingThere(error)) return [];
      throw error;
    }
  }

  async #decodeAll<T>(messages: AsyncIterable<StoredMsg>, read: (message: StoredMsg) => T | null): Promise<T[]> {
    const all: T[] = [];
    for await (const message of messages) {
      const record = read(message);
      if (record !== null) all.push(record);
    }
    return all;
  }
}

function newestOf(a: Head | null, b: Head | null): Head | null {
  return a !== null && b !== null && a.sequence > b.sequence ? a : (b ?? a);
}

function bundleNameIn(subject: string): BundleName {
  const [module = '', revision = ''] = subject.split('.').slice(-2);
  return { module, revision };
}

function headResultIn({ data }: StoredMsg): HeadResult {
  return decode(headResultSchema, data);
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
