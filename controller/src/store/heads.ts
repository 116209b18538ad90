import { JetStreamApiError, type StoredMsg } from '@nats-io/jetstream';

import { decodeRecord, encodeRecord } from '../../../protocol/codec.ts';
import { DecodeError, UnavailableError } from '../../../protocol/errors.ts';
import { type Head, headSchema, revisionsOf } from '../../../protocol/head.ts';
import { HISTORY_LENGTH } from '../../../protocol/limits.ts';
import { lastToken, type Subjects } from '../../../protocol/subjects.ts';
import { FormatError } from '../../../protocol/version.ts';
import { createFormatGuard, type FormatGuard } from './format-guard.ts';
import { keptHeads } from './kept-heads.ts';
import type { Keyring } from './keyring.ts';
import { untilAnswered } from './no-answer.ts';
import { StorageError } from './storage.ts';
import { type BatchMessage, isWrongLastSequence, type Stream } from './stream.ts';

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

/** A head that this controller knows and the stream lacks, and the newest one that it has. */
export interface LostHead {
  readonly head: Head;
  readonly kept: Head | null;
}

/** A head, and the position of the one that it was decided upon. */
export interface HeadWrite {
  readonly head: Head;
  readonly position: number;
}

/**
 * The heads in the stream, written by compare-and-set. What was not signed by this cookie's controller is ignored on their
 * subjects.
 *
 * @param guard is told which newest heads are of a later release.
 */
export function createHeads(
  stream: Stream,
  subjects: Subjects,
  keyring: Keyring,
  guard: FormatGuard = createFormatGuard(),
) {
  const { client } = stream;
  /** The newest known head of each module: an old one that is replayed is recognized, a known one is not verified again. */
  const newestHeads = new Map<string, ReadHead>();
  let lostOnes: readonly LostHead[] = [];
  /** The highest sequences that nodes have shown: see {@link noteHead}. */
  const shownSequences = new Map<string, number>();
  /** Heads as they were signed: a push sends the bytes that it has written. */
  const signedHeads = new WeakMap<Head, Uint8Array>();

  /** The head in a message; null when no key of this cookie has signed it. What can't be read is no head: it would hide all others. */
  function headIn({ subject, data }: Pick<StoredMsg, 'subject' | 'data'>): Head | DecodeError | null {
    const payload = keyring.verify(subject, data);
    try {
      return payload === null ? null : decodeRecord(headSchema, payload);
    } catch (error) {
      if (error instanceof DecodeError) return error;
      throw error;
    }
  }

  function verified(message: Pick<StoredMsg, 'subject' | 'data'>): Head | null {
    const head = headIn(message);
    return head instanceof DecodeError ? null : head;
  }

  /**
   * The highest sequence of a module's heads that is known, 0 for none: also of heads that the stream has lost. A new head counts on
   * from it, so every node takes it for newer than what it has seen.
   */
  function highestSequence(module: string): number {
    return Math.max(newestHeads.get(module)?.head?.sequence ?? 0, shownSequences.get(module) ?? 0);
  }

  /** The newest head of a module as this controller has written it or last read it, every two seconds; null for none. */
  function knownHead(module: string): Head | null {
    return newestHeads.get(module)?.head ?? null;
  }

  /** Takes note of a head in its envelope, which a node shows. What no key of this cookie has signed is ignored. */
  function noteHead(module: string, envelope: Uint8Array): void {
    const head = verified({ subject: subjects.head(module), data: envelope });
    if (head !== null) shownSequences.set(module, Math.max(shownSequences.get(module) ?? 0, head.sequence));
  }

  /** The newest head of the module whose last message this is: usually that message, otherwise one before it. */
  async function newestOf(message: StoredMsg): Promise<ReadHead> {
    const module = lastToken(message.subject);
    const known = newestHeads.get(module);
    if (known?.position === message.seq && known.time === message.timestamp) return known;
    const found = headIn(message);
    guard.note(module, found instanceof FormatError ? found : null);
    const written = found instanceof DecodeError ? null : found;
    let head = known?.head ?? null;
    if (head !== null && written !== null && written.sequence >= head.sequence) head = written;
    else {
      const newest = (await history(module)).at(-1);
      if (newest !== undefined && newest.sequence >= (head?.sequence ?? 0)) head = newest;
    }
    const isLast = head?.sequence === written?.sequence;
    const read = { head, position: message.seq, time: message.timestamp, isLast };
    newestHeads.set(module, read);
    return read;
  }

  async function readLastOfEach(): Promise<ReadHead[]> {
    const messages = await stream.lastOfEach(subjects.heads);
    guard.keep(new Set(messages.map(({ subject }) => lastToken(subject))));
    return Promise.all(messages.map(message => newestOf(message)));
  }

  /** The last head of a module. */
  async function lastHead(module: string): Promise<LastHead> {
    const message = await stream.last(subjects.head(module));
    return message === null ? { head: null, position: 0 } : newestOf(message);
  }

  /** The last head of every module. */
  async function heads(): Promise<Head[]> {
    return (await readLastOfEach()).flatMap(({ head }) => head ?? []);
  }

  /** The kept heads of a module, oldest first: see {@link keptHeads}. */
  async function history(module: string): Promise<Head[]> {
    return keptHeads([...headsIn(await stream.kept(subjects.head(module))).values()]);
  }

  /**
   * The kept heads of a module, oldest first, and the last one: of the same moment. What is decided upon a history counts only if nothing was
   * written since.
   */
  async function historyToLast(module: string): Promise<{ readonly history: Head[]; readonly last: LastHead }> {
    const messages = await stream.kept(subjects.head(module));
    const message = messages.at(-1);
    const last = message === undefined ? { head: null, position: 0 } : await newestOf(message);
    return { history: keptHeads([...headsIn(messages).values()]), last };
  }

  /** The heads in messages, by their sequences, oldest first. */
  function headsIn(messages: readonly StoredMsg[]): Map<number, Head> {
    const found = messages.map(message => verified(message)).filter(head => head !== null);
    // A head that was signed again, or replayed by somebody, is there twice.
    return new Map(found.toSorted((a, b) => a.sequence - b.sequence).map(head => [head.sequence, head]));
  }

  /** The modules with more heads in the stream than every history keeps. */
  async function modulesWithLongHistory(): Promise<string[]> {
    const counts = Object.entries(await stream.subjects(subjects.heads));
    return counts.filter(([, count]) => count > HISTORY_LENGTH).map(([subject]) => lastToken(subject));
  }

  /**
   * Removes the heads that the history of a module does not keep. The last message of the subject stays, whatever it is: the
   * next write compares with it.
   *
   * @returns the sequences of the heads that stay.
   */
  async function collectHeads(module: string): Promise<Set<number>> {
    const messages = await stream.kept(subjects.head(module));
    const kept = new Set(keptHeads([...headsIn(messages).values()]).map(({ sequence }) => sequence));
    const seen = new Set<number>();
    for (const message of messages.toReversed()) {
      const sequence = verified(message)?.sequence;
      const isKept = sequence !== undefined && kept.has(sequence) && !seen.has(sequence);
      if (isKept) seen.add(sequence);
      else if (message !== messages.at(-1)) await stream.remove(message.seq);
    }
    return kept;
  }

  /**
   * Writes the last head of a module again where something else was written after it: an old head, or bytes that no key of this
   * cookie has signed. Nodes that start read the last message. A head whose bundle the stream lacks too is not written: that is
   * an older stream, restored or copied back, and a node that starts could not load the head. See {@link lostHeads}.
   *
   * Nothing is written over the head of a later release.
   *
   * @returns the modules.
   */
  async function restoreHeads(): Promise<string[]> {
    const restored: string[] = [];
    const lost: LostHead[] = [];
    const newest = await readLastOfEach();
    if (guard.newerText() !== null) return [];
    for (const { head, position, isLast } of newest) {
      if (head === null || isLast) continue;
      if (!(await hasBundlesOf(head))) lost.push({ head, kept: (await history(head.module)).at(-1) ?? null });
      else if (await writeHeads([{ head, position }])) restored.push(head.module);
    }
    lostOnes = lost;
    return restored;
  }

  async function hasBundlesOf(head: Head): Promise<boolean> {
    const subjectsOfBundles = revisionsOf(head).map(revision => subjects.bundle(head.module, revision));
    const found = await Promise.all(subjectsOfBundles.map(async each => Object.keys(await stream.subjects(each))));
    return found.every(each => each.length > 0);
  }

  /** The heads that this controller knows, and whose bundles the stream lacks, with the heads: as the last look has found. */
  function lostHeads(): readonly LostHead[] {
    return lostOnes;
  }

  /**
   * Writes heads, all or none, each only if its module's last head is still at the position given with it.
   *
   * @returns false when another controller was faster; nothing is written then.
   * @throws NewerStreamError when a later release has written to the stream.
   */
  async function writeHeads(writes: readonly HeadWrite[]): Promise<boolean> {
    const [first] = writes;
    if (first === undefined) return true;
    guard.check();
    const messages = writes.map(headMessage);
    let attempts = 0;
    const attempt = (): Promise<void> => {
      attempts += 1;
      return client.publishTogether(messages);
    };
    try {
      await untilAnswered(attempt, { waitsForLeader: true }).catch(async (error: unknown) => {
        const isOwnWrite = isWrongLastSequence(error) && attempts > 1 && (await areWritten(messages));
        if (!isOwnWrite) throw error;
      });
      // What was written is known, also if the stream loses it before it is read.
      for (const { head } of writes) newestHeads.set(head.module, { head, position: 0, time: '', isLast: true });
      lostOnes = lostOnes.filter(({ head }) => !writes.some(write => write.head.module === head.module));
      return true;
    } catch (error) {
      if (isWrongLastSequence(error)) return false;
      if (error instanceof JetStreamApiError || error instanceof StorageError) throw error;
      const message = `NATS did not confirm the head of ${first.head.module}: it may be written or not (see: hotcast history)`;
      throw new UnavailableError(message, { cause: error });
    }
  }

  /** Whether an attempt without an answer has written these heads. Each envelope is another one. */
  async function areWritten(messages: readonly BatchMessage[]): Promise<boolean> {
    const found = messages.map(async ({ subject, data }) =>
      (await stream.kept(subject)).some(kept => Buffer.compare(kept.data, data) === 0),
    );
    return (await Promise.all(found)).every(Boolean);
  }

  /** A head in its envelope, the same bytes each time until another key signs. */
  function signHead(head: Head): Uint8Array {
    const before = signedHeads.get(head);
    if (before !== undefined && keyring.isCurrent(before)) return before;
    const signed = keyring.sign(subjects.head(head.module), encodeRecord(head));
    signedHeads.set(head, signed);
    return signed;
  }

  function headMessage({ head, position }: HeadWrite): BatchMessage {
    return { subject: subjects.head(head.module), data: signHead(head), position };
  }

  /** Signs a module's last head, which stays the same, with the present key. @returns whether another key had signed it. */
  async function signHeadAgain(module: string): Promise<boolean> {
    const { head, position } = await lastHead(module);
    const last = await stream.last(subjects.head(module));
    if (head === null || last === null || keyring.isCurrent(last.data)) return false;
    // A controller that writes another head meanwhile signs it with the present key.
    return writeHeads([{ head, position }]);
  }

  return {
    lastHead,
    heads,
    history,
    historyToLast,
    modulesWithLongHistory,
    collectHeads,
    restoreHeads,
    lostHeads,
    highestSequence,
    knownHead,
    noteHead,
    writeHeads,
    signHead,
    signHeadAgain,
  };
}
