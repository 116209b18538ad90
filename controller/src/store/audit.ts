import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';

import type { StoredMsg } from '@nats-io/jetstream';
import { type NatsConnection, TimeoutError } from '@nats-io/transport-node';

import { type AuditEntry, auditEntrySchema } from '../../../protocol/history/audit-entry.ts';
import { changeEvent, type Event, nodeEvent } from '../../../protocol/history/event.ts';
import { type NodeChange, nodeChangeSchema } from '../../../protocol/history/node-change.ts';
import { decodeRecord, encodeRecord } from '../../../protocol/codec.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { auditStreamOf, type Subjects } from '../../../protocol/subjects.ts';
import { untilAnswered } from './no-answer.ts';
import { openStream } from './stream.ts';

/** The audit's oldest entries are dropped beyond this size (bytes): some 50,000 entries are left. */
const MAX_BYTES = 16 * 2 ** 20;

export type Audit = Awaited<ReturnType<typeof openAudit>>;

/** Some events. `position`: of the last one. `missing`: how many up to there are dropped already, or of another release. */
export interface EventBatch {
  readonly events: readonly Event[];
  readonly position: number;
  readonly missing: number;
}

/**
 * Opens the cookie's audit: a stream of its own, which only grows, up to a size. It has what was done to the cluster, and when nodes
 * came and went.
 *
 * @param file the operator's file, to which each entry is appended as a line of JSON. Empty: none.
 * @param replicas on how many servers of NATS the stream is.
 */
export async function openAudit(nats: NatsConnection, cookie: string, subjects: Subjects, file: string, replicas = 1) {
  const stream = await openStream(nats, auditStreamOf(cookie), null);
  const ensure = (): Promise<void> =>
    stream.ensure([subjects.audit, subjects.nodeChanges], { maxBytes: MAX_BYTES, replicas, keeps: 'newest' });
  await ensure();

  /**
   * @param id NATS drops a repetition of what it took without an answer.
   * @param tryMs see {@link untilAnswered}.
   */
  async function publish(
    subject: string,
    record: AuditEntry | NodeChange,
    id: string,
    tryMs?: { readonly tryMs: number },
  ): Promise<void> {
    const bytes = encodeRecord(record);
    const write = (waitsForLeader: boolean) =>
      untilAnswered(() => stream.client.publish(subject, bytes, { msgID: id }), { waitsForLeader, ...tryMs });
    await write(false).catch(async (error: unknown) => {
      if (error instanceof TimeoutError) throw error;
      // NATS may have lost its disk, and the stream with it.
      await ensure();
      await write(true);
    });
  }

  function eventOf({ subject, seq, data }: StoredMsg): Event | null {
    try {
      return subject === subjects.audit
        ? changeEvent(seq, decodeRecord(auditEntrySchema, data))
        : nodeEvent(seq, decodeRecord(nodeChangeSchema, data));
    } catch (error) {
      if (error instanceof DecodeError) return null;
      throw error;
    }
  }

  return {
    /**
     * Rejects when the stream or the file does not take the entry; the other one has it.
     *
     * @param isAnswering whether NATS has just answered. Else it is tried once.
     */
    async write(entry: AuditEntry, isAnswering = true): Promise<void> {
      const writing = publish(subjects.audit, entry, randomUUID(), isAnswering ? undefined : { tryMs: 0 });
      const [written] = await Promise.allSettled([writing]);
      if (file !== '') appendFileSync(file, `${JSON.stringify(entry)}\n`);
      if (written.status === 'rejected') throw written.reason;
    },

    /** Writes down that a node came or went. */
    writeNodeChange(change: NodeChange): Promise<void> {
      const { node, startedAt, at } = change;
      return publish(subjects.nodeChange(node), change, `${node} ${startedAt} ${change.change} ${at}`);
    },

    /** The last change of each node. */
    async nodeChanges(): Promise<NodeChange[]> {
      const messages = await stream.lastOfEach(subjects.nodeChanges);
      const events = messages.flatMap(message => eventOf(message) ?? []);
      return events.filter(event => event.kind === 'node');
    },

    /** The entries since a moment (milliseconds since 1970), oldest first. */
    async read(since: number): Promise<AuditEntry[]> {
      const messages = await stream.since(subjects.audit, new Date(since));
      return messages.map(({ data }) => decodeRecord(auditEntrySchema, data));
    },

    /** The positions of the first and the last event that it has; the first one is beyond the last when it has none. */
    bounds: (): Promise<{ readonly first: number; readonly last: number }> => stream.bounds(),

    /** The next events after a position, oldest first; none when there are none yet. */
    async after(position: number): Promise<EventBatch> {
      const messages = await stream.after(position);
      const events = messages.flatMap(message => eventOf(message) ?? []);
      const last = messages.at(-1)?.seq ?? position;
      return { events, position: last, missing: last - position - events.length };
    },

    /** Calls a listener when something is written, by whom ever, until it is disposed. It can be in the stream a moment later. */
    onWrite(listener: () => void): Disposable {
      const callback = (error: Error | null): void => {
        if (error === null) listener();
      };
      const subscriptions = [subjects.audit, subjects.nodeChanges].map(each => nats.subscribe(each, { callback }));
      return { [Symbol.dispose]: () => subscriptions.forEach(each => each.unsubscribe()) };
    },
  };
}
