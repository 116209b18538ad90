import { appendFileSync } from 'node:fs';

import type { NatsConnection } from '@nats-io/transport-node';

import { type AuditEntry, auditEntrySchema } from '../../../protocol/history/audit-entry.ts';
import { decodeRecord, encodeRecord } from '../../../protocol/codec.ts';
import { auditStreamOf, type Subjects } from '../../../protocol/subjects.ts';
import { openStream } from './stream.ts';

/** The audit's oldest entries are dropped beyond this size (bytes): some 50,000 entries are left. */
const MAX_BYTES = 16 * 2 ** 20;

export type Audit = Awaited<ReturnType<typeof openAudit>>;

/**
 * Opens the cookie's audit: a stream of its own, which only grows, up to a size.
 *
 * @param file the operator's file, to which each entry is appended as a line of JSON. Empty: none.
 * @param replicas on how many servers of NATS the stream is.
 */
export async function openAudit(nats: NatsConnection, cookie: string, subjects: Subjects, file: string, replicas = 1) {
  const stream = await openStream(nats, auditStreamOf(cookie), null);
  const ensure = (): Promise<void> =>
    stream.ensure([subjects.audit], { maxBytes: MAX_BYTES, replicas, keeps: 'newest' });
  await ensure();
  return {
    /** Rejects when the stream or the file does not take the entry; the other one has it. */
    async write(entry: AuditEntry): Promise<void> {
      const publish = () => stream.client.publish(subjects.audit, encodeRecord(entry));
      // NATS may have lost its disk, and the stream with it.
      const published = publish().catch(() => ensure().then(publish));
      const [written] = await Promise.allSettled([published]);
      if (file !== '') appendFileSync(file, `${JSON.stringify(entry)}\n`);
      if (written.status === 'rejected') throw written.reason;
    },

    /** The entries since a moment (milliseconds since 1970), oldest first. */
    async read(since: number): Promise<AuditEntry[]> {
      const messages = await stream.since(subjects.audit, new Date(since));
      return messages.map(({ data }) => decodeRecord(auditEntrySchema, data));
    },
  };
}
