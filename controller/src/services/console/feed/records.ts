import { jetstreamManager, type StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

import { type Bundle, decodeBundle } from '../../../../../protocol/bundle.ts';
import { decode, decodeRecord } from '../../../../../protocol/codec.ts';
import { DecodeError } from '../../../../../protocol/errors.ts';
import { type Head, headSchema } from '../../../../../protocol/head.ts';
import { type AuditEntry, auditEntrySchema } from '../../../../../protocol/history/audit-entry.ts';
import { type HeadResult, headResultSchema } from '../../../../../protocol/history/head-result.ts';
import { type TrustedKeys, verifyEnvelope } from '../../../../../protocol/signing/envelope.ts';
import type { KeyTrust } from '../../../../../protocol/signing/key-trust.ts';
import { auditStreamOf, streamOf, subjectsOf } from '../../../../../protocol/subjects.ts';

/** How many messages are read at once. */
const MAX_BATCH = 1_000;

export type Records = Awaited<ReturnType<typeof openRecords>>;

/** A record in its envelope; null when no key of this cookie has signed it, or another release wrote it. */
export function headIn(trusted: TrustedKeys, subject: string, bytes: Uint8Array): Head | null {
  const verified = verifyEnvelope(trusted, subject, bytes);
  return verified.status === 'verified' ? orNull(() => decodeRecord(headSchema, verified.payload)) : null;
}

/** What can't be read is no record. */
export function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}

export const auditEntryIn = (bytes: Uint8Array): AuditEntry | null =>
  orNull(() => decodeRecord(auditEntrySchema, bytes));

export const headResultIn = (bytes: Uint8Array): HeadResult | null => orNull(() => decode(headResultSchema, bytes));

/** Reads the records of a cookie. It asks NATS for nothing but messages of its two streams, and the size of one. */
export async function openRecords(nats: NatsConnection, cookie: string, trusted: KeyTrust) {
  const { direct, streams } = await jetstreamManager(nats, { checkAPI: false });
  const subjects = subjectsOf(cookie);
  const stream = streamOf(cookie);
  /** Trusts the keys of a list from now on, if it is newer, and a root key has signed it. */
  const takeKeyList = (bytes: Uint8Array): void => void orNull(() => trusted.take(bytes));
  return {
    takeKeyList,

    /** Reads the newest list of keys. */
    async readKeyList(): Promise<void> {
      const message = await direct.getMessage(stream, { last_by_subj: subjects.keys }).catch(() => null);
      if (message !== null) takeKeyList(message.data);
    },

    /** The newest head of each module. */
    async heads(): Promise<Head[]> {
      const messages = await collected(() => direct.getLastMessagesFor(stream, { multi_last: [subjects.heads] }));
      return messages.flatMap(({ subject, data }) => headIn(trusted, subject, data) ?? []);
    },

    /** The kept heads of a module, oldest first. */
    async history(module: string): Promise<Head[]> {
      const subject = subjects.head(module);
      const messages = await collected(() =>
        direct.getBatch(stream, { seq: 0, next_by_subj: subject, batch: MAX_BATCH }),
      );
      return messages
        .flatMap(({ data }) => headIn(trusted, subject, data) ?? [])
        .toSorted((a, b) => a.sequence - b.sequence);
    },

    async headResults(): Promise<HeadResult[]> {
      const messages = await collected(() => direct.getLastMessagesFor(stream, { multi_last: [subjects.headResults] }));
      return messages.flatMap(({ data }) => headResultIn(data) ?? []);
    },

    /** The entries of the audit since a moment. */
    async audit(since: number): Promise<AuditEntry[]> {
      const from = { start_time: new Date(since), next_by_subj: subjects.audit, batch: MAX_BATCH };
      const messages = await collected(() => direct.getBatch(auditStreamOf(cookie), from));
      return messages.flatMap(({ data }) => auditEntryIn(data) ?? []);
    },

    /** The bundle of a revision; null when the stream has none that can be read. */
    async bundle(module: string, revision: string): Promise<Bundle | null> {
      const subject = subjects.bundle(module, revision);
      const message = await direct.getMessage(stream, { last_by_subj: subject }).catch(() => null);
      if (message === null) return null;
      const verified = verifyEnvelope(trusted, subject, message.data);
      return verified.status === 'verified' ? orNull(() => decodeBundle(verified.payload)) : null;
    },

    /** How full the stream is, in bytes. */
    async storage(): Promise<{ readonly bytes: number; readonly maxBytes: number }> {
      const { state, config } = await streams.info(stream);
      return { bytes: state.bytes, maxBytes: config.max_bytes };
    },
  };
}

/** The messages; none when there are none, or no such stream. */
async function collected(read: () => Promise<AsyncIterable<StoredMsg>>): Promise<StoredMsg[]> {
  const all: StoredMsg[] = [];
  try {
    for await (const message of await read()) all.push(message);
  } catch {
    // A stream that is not there yet, or NATS while it starts: the next reading has it.
  }
  return all;
}
