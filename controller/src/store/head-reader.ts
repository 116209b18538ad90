import type { StoredMsg } from '@nats-io/jetstream';

import { decode } from '../../../protocol/codec.ts';
import { type Head, headSchema } from '../../../protocol/head.ts';
import { lastToken, type Subjects } from '../../../protocol/subjects.ts';
import type { Keyring } from './keyring.ts';
import type { StreamReader } from './stream-reader.ts';

/** A module's last head and the stream's sequence number of it (0: there is none), with which a write compares. */
export interface LastHead {
  readonly head: Head | null;
  readonly position: number;
}

/** `isLast`: whether the head is what the stream has last on its subject. `time` tells two streams of one name apart. */
interface ReadHead extends LastHead {
  readonly time: string;
  readonly isLast: boolean;
}

/** Reads the heads that this cookie's controller has signed, and ignores everything else on their subjects. */
export class HeadReader {
  readonly #reader: StreamReader;
  readonly #subjects: Subjects;
  readonly #keyring: Keyring;
  /** The newest known head of each module: an old one that is replayed is recognized, a known one is not verified again. */
  readonly #newest = new Map<string, ReadHead>();

  constructor(reader: StreamReader, subjects: Subjects, keyring: Keyring) {
    this.#reader = reader;
    this.#subjects = subjects;
    this.#keyring = keyring;
  }

  /** The last head of a module. */
  async last(module: string): Promise<LastHead> {
    const message = await this.#reader.last(this.#subjects.head(module));
    return message === null ? { head: null, position: 0 } : this.#read(message);
  }

  /** The last head of every module. */
  async lastOfEach(): Promise<readonly ReadHead[]> {
    const messages = await this.#reader.lastOfEach(this.#subjects.heads);
    return Promise.all(messages.map(message => this.#read(message)));
  }

  /** The kept heads of a module, oldest first. */
  async history(module: string): Promise<Head[]> {
    const messages = await this.#reader.kept(this.#subjects.head(module));
    const heads = messages.map(message => this.#verified(message)).filter(head => head !== null);
    // A head that was signed again, or replayed by somebody, is there twice.
    const known = new Map(heads.map(head => [head.sequence, head]));
    return [...known.values()].toSorted((a, b) => a.sequence - b.sequence);
  }

  /** The newest head of the module whose last message this is: usually that message, otherwise one before it. */
  async #read(message: StoredMsg): Promise<ReadHead> {
    const module = lastToken(message.subject);
    const known = this.#newest.get(module);
    if (known?.position === message.seq && known.time === message.timestamp) return known;
    const written = this.#verified(message);
    let newest = known?.head ?? null;
    const sequence = newest?.sequence ?? Infinity;
    if (written !== null && written.sequence > sequence) newest = written;
    else newest = newestOf(newest, (await this.history(module)).at(-1) ?? null);
    const isLast = newest?.sequence === written?.sequence;
    const read = { head: newest, position: message.seq, time: message.timestamp, isLast };
    this.#newest.set(module, read);
    return read;
  }

  #verified({ subject, data }: StoredMsg): Head | null {
    const payload = this.#keyring.verify(subject, data);
    return payload === null ? null : decode(headSchema, payload);
  }
}

function newestOf(a: Head | null, b: Head | null): Head | null {
  return a !== null && b !== null && a.sequence > b.sequence ? a : (b ?? a);
}
