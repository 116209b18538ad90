import { jetstreamManager, type StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

import { DecodeError } from '../../../protocol/errors.ts';
import { MAX_MESSAGES_PER_SUBJECT } from '../../../protocol/limits.ts';
import type { Head } from '../../../protocol/head.ts';
import { lastToken, streamOf, subjectsOf } from '../../../protocol/subjects.ts';
import type { Logger } from '../../../shared/logger.ts';
import { type Verifier, RejectedError, UnknownKeyError } from '../admission/verifier.ts';
import type { PackageSource } from '../packages/fetch-packages.ts';
import { unpackArchive } from '../packages/unpack-archive.ts';
import { createKeyLookup, takeKeyList } from './key-lookup.ts';
import { lateRecords } from './late-records.ts';
import { fromStream } from './no-stream.ts';
import type { RecordSource } from './reconciler.ts';

/** Reads records, and says which of them it could not. */
export interface RecordReader extends RecordSource, PackageSource {
  /** Reads the newest list of keys. Whoever asks meanwhile waits for the same one. */
  readonly keys: () => Promise<void>;
  /** Why the newest heads of modules can't be read, as the last look has found: another release has written them. */
  readonly unreadable: () => ReadonlyMap<string, string>;
}

/** Reads the cluster's stream with direct get. Without a consumer, a node costs the server nothing between reads. */
export async function recordReader(
  nats: NatsConnection,
  cookie: string,
  verifier: Verifier,
  log: Logger,
): Promise<RecordReader> {
  const { direct } = await jetstreamManager(nats, { checkAPI: false });
  const stream = streamOf(cookie);
  const subjects = subjectsOf(cookie);
  const readLate = lateRecords();
  const last = (subject: string) => readLate(() => direct.getMessage(stream, { last_by_subj: subject }));
  /** The verified payload of a record that is found by its hash; null when the stream does not have it. */
  const payload = async (subject: string): Promise<Uint8Array | null> => {
    const message = await last(subject);
    return message === null ? null : withKeys(() => verifier.payload(subject, message.data));
  };
  const newest = async (): Promise<StoredMsg[]> => {
    const messages: StoredMsg[] = [];
    const asked = { multi_last: [subjects.keys, subjects.heads] };
    for await (const message of await direct.getLastMessagesFor(stream, asked)) messages.push(message);
    return messages;
  };
  let unreadable: ReadonlyMap<string, string> = new Map();
  const sayUnreadable = (found: ReadonlyMap<string, string>): void => {
    for (const [module, why] of found) {
      if (unreadable.get(module) !== why)
        log.error({ module, why }, 'the head of a module cannot be read; this node keeps what it has of it');
    }
    unreadable = found;
  };
  /** Takes the newest of the lists that the stream keeps: somebody may have written an old one, or what is none, after it. */
  const readKeptLists = async (): Promise<void> => {
    const all = { seq: 0, next_by_subj: subjects.keys, batch: MAX_MESSAGES_PER_SUBJECT };
    try {
      for await (const { data } of await direct.getBatch(stream, all)) takeKeyList(verifier, data, log);
    } catch {
      // There is none, or no stream: what is read next says so.
    }
  };
  const keys = createKeyLookup(async () => {
    const message = await direct.getMessage(stream, { last_by_subj: subjects.keys });
    if (message !== null && !takeKeyList(verifier, message.data, log)) await readKeptLists();
  });
  let isListRead = false;
  verifier.isLookupDue = () => !isListRead && keys.isDue();
  /** Verifies what was read; when its key is not known, once more with the keys that the stream has. */
  const withKeys = async <T>(verify: () => T): Promise<T> => {
    try {
      return verify();
    } catch (error) {
      if (!(error instanceof UnknownKeyError)) throw error;
      await keys.look();
      return verify();
    }
  };
  /** The heads in messages that were read with the newest list. */
  const headsIn = (found: readonly StoredMsg[]): Head[] => {
    const heads: Head[] = [];
    const notRead = new Map<string, string>();
    isListRead = true;
    try {
      for (const { subject, data } of found) {
        try {
          heads.push(verifier.head(subject, data));
        } catch (error) {
          // A head that is not trusted, or that this node can't read, does not block the others.
          if (error instanceof DecodeError) notRead.set(lastToken(subject), error.message);
          else if (!(error instanceof RejectedError)) throw error;
        }
      }
    } finally {
      isListRead = false;
    }
    sayUnreadable(notRead);
    return heads;
  };
  return {
    unreadable: () => unreadable,
    keys: keys.look,
    keyList: () => verifier.keyList,
    heads: async () => {
      // A node that starts knows no number, with which it would see that a list is old.
      if (verifier.keyList === 0) await readKeptLists();
      const found: StoredMsg[] = [];
      let isList = true;
      for (const message of await fromStream(newest)) {
        // What a key of it has signed can be before it in the stream, where it was signed again.
        if (message.subject === subjects.keys) isList = takeKeyList(verifier, message.data, log);
        else found.push(message);
      }
      if (!isList) await readKeptLists();
      return headsIn(found);
    },
    bundle: async (module, revision) => {
      const message = await last(subjects.bundle(module, revision));
      return message === null ? null : withKeys(() => verifier.bundle(message.subject, message.data));
    },
    packageSet: hash => payload(subjects.packageSet(hash)),
    archive: async ({ archive, chunks }) => {
      const parts: Uint8Array[] = [];
      for (let chunk = 0; chunk < chunks; chunk += 1) {
        const part = await payload(subjects.archiveChunk(archive, chunk));
        if (part === null) return null;
        parts.push(part);
      }
      return unpackArchive(parts, archive);
    },
  };
}
