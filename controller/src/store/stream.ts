import {
  type DirectBatchOptions,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  JetStreamError,
  jetstream,
  type JetStreamPublishOptions,
  jetstreamManager,
  type PubAck,
  PubHeaders,
  StorageType,
  type StoredMsg,
} from '@nats-io/jetstream';
import { headers, type MsgHdrs, type NatsConnection, nuid, TimeoutError } from '@nats-io/transport-node';

import { MAX_MESSAGES_PER_SUBJECT } from '../../../protocol/limits.ts';
import { orNullAfter } from '../../../shared/timeout.ts';
import { createFreshReads } from './fresh-reads.ts';
import { isNoAnswer, untilAnswered } from './no-answer.ts';
import { faultText, StorageError } from './storage.ts';

type PublishOptions = Partial<JetStreamPublishOptions>;

/** How many messages are read at once. */
const MAX_BATCH = 1_000;

/** NATS's error code: a stream of that name exists with another configuration. */
const STREAM_NAME_IN_USE = 10058;

/** How long NATS has to say why it does not write (milliseconds). */
const FAULT_TIMEOUT_MS = 2_000;

/** NATS's error codes: the stream has `max_bytes`; the server has `max_file_store`. */
const STREAM_FULL = 10077;
const SERVER_FULL: ReadonlySet<number> = new Set([10023, 10047]);

/** How long a batch can take to be written (milliseconds). */
const BATCH_TIMEOUT_MS = 5_000;

export type Stream = Awaited<ReturnType<typeof openStream>>;

/** The header of the last message of a batch. */
const BATCH_COMMIT = 'Nats-Batch-Commit';

/** A message of a batch. `position`: the sequence that the last message of its subject must have (0: none); default: any. */
export interface BatchMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly position?: number;
}

/** How a stream is made. */
export interface StreamOptions {
  readonly maxBytes: number;
  /** On how many servers of NATS it is. A stream that is on more of them stays there. */
  readonly replicas: number;
  /** What is dropped when it is full: nothing (a write is refused), or the oldest messages. Default: `all` is kept. */
  readonly keeps?: 'all' | 'newest';
}

/**
 * A stream, which is written by publishing, and read by direct gets, without a consumer.
 *
 * @param unused a subject of it that has no messages, by which NATS says why it writes nothing; null: that is not asked.
 */
export async function openStream(nats: NatsConnection, name: string, unused: string | null) {
  const { direct, streams } = await untilAnswered(() => jetstreamManager(nats));
  const jetstreamClient = jetstream(nats);
  const fresh = createFreshReads();

  const info = (filter?: string) =>
    untilAnswered(() => streams.info(name, filter === undefined ? {} : { subjects_filter: filter }));

  /**
   * Why NATS writes nothing, in its words; null when it writes, or does not say. After a write that met a full disk it does not answer
   * a publish at all, but it does answer this: a purge of what is not there.
   */
  async function writeFault(): Promise<string | null> {
    if (unused === null) return null;
    const asked = streams.purge(name, { filter: unused }).then(
      () => null,
      (error: unknown) =>
        error instanceof JetStreamApiError && error.status >= 500 && !isNoAnswer(error) ? error.message : null,
    );
    return orNullAfter(FAULT_TIMEOUT_MS, asked);
  }

  /** An error that says what is in the way of a write; the same error when nothing is known. */
  async function explained(error: unknown): Promise<unknown> {
    if (error instanceof JetStreamApiError && error.code === STREAM_FULL) {
      return new StorageError(
        'the stream is full to its last byte (raise STREAM_MAX_MB: STREAM_MAX_MB=4096 docker compose up --detach controller)',
      );
    }
    if (error instanceof JetStreamApiError && SERVER_FULL.has(error.code)) {
      return new StorageError(`NATS has no room: max_file_store in nats/nats.conf is reached (${error.message})`);
    }
    if (!(error instanceof TimeoutError)) return error;
    const fault = await writeFault();
    return fault === null ? error : new StorageError(faultText(fault), { cause: error });
  }

  async function publish(subject: string, data: Uint8Array, options?: PublishOptions): Promise<PubAck> {
    try {
      const ack = await jetstreamClient.publish(subject, data, options);
      fresh.note(subject, ack.seq);
      return ack;
    } catch (error) {
      const expected = options?.expect?.lastSubjectSequence;
      // Another message is there, also if a replica does not have it yet.
      if (expected !== undefined && isWrongLastSequence(error)) fresh.note(subject, expected + 1);
      throw await explained(error);
    }
  }

  /** Takes note of the last messages of these subjects, as the leader of the stream says: NATS does not tell which of them refused a batch. */
  async function noteLastOf(messages: readonly BatchMessage[]): Promise<void> {
    const noting = messages.map(async ({ subject }) => {
      const found = await streams.getMessage(name, { last_by_subj: subject });
      if (found !== null) fresh.note(subject, found.seq);
    });
    // Without an answer, a replica that is behind can be read.
    await Promise.allSettled(noting);
  }

  /**
   * Writes messages together: all of them, or none (ADR-50). The client's own batch forgets what its messages expect, but for the
   * first one, and why the server refused it.
   */
  async function publishTogether(messages: readonly BatchMessage[]): Promise<void> {
    const earlier = messages.slice(0, -1);
    const last = messages.at(-1);
    if (last === undefined) return;
    if (earlier.length === 0) return void (await publish(last.subject, last.data, expecting(last)));
    const id = nuid.next();
    for (const [index, message] of earlier.entries()) {
      nats.publish(message.subject, message.data, { headers: batchHeaders(id, index + 1, message) });
    }
    const header = batchHeaders(id, messages.length, last);
    header.set(BATCH_COMMIT, '1');
    const { seq } = await publish(last.subject, last.data, { headers: header, timeout: BATCH_TIMEOUT_MS }).catch(
      async (error: unknown) => {
        if (isWrongLastSequence(error)) await noteLastOf(messages);
        throw error;
      },
    );
    for (const { subject } of messages) fresh.note(subject, seq - messages.length + 1);
  }

  return {
    client: { publish, publishTogether },
    writeFault,

    /** Creates the stream when it does not exist (at the first start, or after NATS lost its disk), or corrects its configuration. */
    async ensure(subjects: string[], { maxBytes, replicas, keeps = 'all' }: StreamOptions): Promise<void> {
      const config = {
        subjects,
        storage: StorageType.File,
        max_msgs_per_subject: keeps === 'all' ? MAX_MESSAGES_PER_SUBJECT : -1,
        max_bytes: maxBytes,
        // What nodes may need is never dropped to make room.
        discard: keeps === 'all' ? DiscardPolicy.New : DiscardPolicy.Old,
        allow_direct: true,
        allow_atomic: true,
        num_replicas: replicas,
      };
      try {
        await untilAnswered(() => streams.add({ name, ...config }));
      } catch (error) {
        if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NAME_IN_USE) throw error;
        const { config: now } = await info();
        const wanted = { ...config, num_replicas: Math.max(replicas, now.num_replicas) };
        await untilAnswered(() => streams.update(name, wanted));
      }
    },

    /** How many bytes it has. */
    async size(): Promise<number> {
      return (await info()).state.bytes;
    },

    /** How far NATS's clock is ahead of this process's (milliseconds), as exactly as half of a round trip. */
    async clockOffset(): Promise<number> {
      const [askedAt, startedAt] = [Date.now(), performance.now()];
      const answer: object = await streams.info(name);
      const roundTripMs = performance.now() - startedAt;
      const clock = 'ts' in answer ? Date.parse(String(answer.ts)) : NaN;
      const offset = clock - (askedAt + roundTripMs / 2);
      return Number.isNaN(offset) || Math.abs(offset) <= roundTripMs / 2 ? 0 : offset;
    },

    /** The subjects under which the stream has messages, and how many of each: as its leader says. */
    async subjects(filter: string): Promise<Record<string, number>> {
      const found = (await info(filter)).state.subjects ?? {};
      for (const subject of Object.keys(found)) fresh.note(subject, 1);
      return found;
    },

    /** The last message of a subject; null when there is none. */
    async last(subject: string): Promise<StoredMsg | null> {
      const read = async (): Promise<StoredMsg[]> => {
        const message = await untilAnswered(() => direct.getMessage(name, { last_by_subj: subject }));
        return message === null ? [] : [message];
      };
      const [last = null] = await fresh.read(subject, read);
      return last;
    },

    /** The last message of each subject that matches. */
    async lastOfEach(filter: string): Promise<StoredMsg[]> {
      return fresh.read(filter, () =>
        untilAnswered(async () => collect(await direct.getLastMessagesFor(name, { multi_last: [filter] }))),
      );
    },

    /** The messages that the stream keeps of a subject, oldest first. */
    async kept(subject: string): Promise<StoredMsg[]> {
      const all = { seq: 0, next_by_subj: subject, batch: MAX_MESSAGES_PER_SUBJECT };
      return fresh.read(subject, () => untilAnswered(() => batchOf(() => direct.getBatch(name, all))));
    },

    /** The messages of a subject since a moment, oldest first. The newest of them can be missing for some milliseconds. */
    async since(subject: string, time: Date): Promise<StoredMsg[]> {
      const found: StoredMsg[] = [];
      let from: { start_time: Date } | { seq: number } = { start_time: time };
      for (;;) {
        const batch: DirectBatchOptions = { ...from, next_by_subj: subject, batch: MAX_BATCH };
        const next: StoredMsg[] = await untilAnswered(() => batchOf(() => direct.getBatch(name, batch)));
        found.push(...next);
        const last = next.at(-1);
        if (last === undefined || next.length < MAX_BATCH) return found;
        from = { seq: last.seq + 1 };
      }
    },

    /** The messages of all subjects after a position, oldest first: at most {@link MAX_BATCH}. */
    async after(position: number): Promise<StoredMsg[]> {
      return batchOf(() => direct.getBatch(name, { seq: position + 1, next_by_subj: '>', batch: MAX_BATCH }));
    },

    /** The positions of the first and the last message that it has; the first one is beyond the last when it has none. */
    async bounds(): Promise<{ readonly first: number; readonly last: number }> {
      const { first_seq: first, last_seq: last } = (await streams.info(name)).state;
      return { first: Math.max(1, first), last };
    },

    /** Removes one message. */
    async remove(position: number): Promise<void> {
      await streams.deleteMessage(name, position, false);
    },

    /** Removes the messages of a subject, but for the last ones. */
    async purge(subject: string, keep = 0): Promise<void> {
      await untilAnswered(() => streams.purge(name, { filter: subject, keep }));
      if (keep === 0) fresh.forget(subject);
    },
  };
}

/** Whether a write was refused because its subject has another last message than was expected. */
export function isWrongLastSequence(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError &&
    (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
      error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown)
  );
}

/** The messages of a batch; none when the subject has none. */
async function batchOf(read: () => Promise<AsyncIterable<StoredMsg>>): Promise<StoredMsg[]> {
  try {
    return await collect(await read());
  } catch (error) {
    if (error instanceof JetStreamError && 'code' in error && error.code === 404) return [];
    throw error;
  }
}

async function collect(messages: AsyncIterable<StoredMsg>): Promise<StoredMsg[]> {
  const all: StoredMsg[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

/** The headers of the first, second, … message of a batch. */
function batchHeaders(id: string, number: number, { position }: BatchMessage): MsgHdrs {
  const header = headers();
  header.set('Nats-Batch-Id', id);
  header.set('Nats-Batch-Sequence', String(number));
  if (position !== undefined) header.set(PubHeaders.ExpectedLastSubjectSequenceHdr, String(position));
  return header;
}

function expecting({ position }: BatchMessage): PublishOptions {
  return position === undefined ? {} : { expect: { lastSubjectSequence: position } };
}
