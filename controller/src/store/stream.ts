import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  JetStreamError,
  jetstream,
  jetstreamManager,
  StorageType,
  type JetStreamClient,
  type StoredMsg,
} from '@nats-io/jetstream';
import { type NatsConnection, TimeoutError } from '@nats-io/transport-node';

import { MAX_MESSAGES_PER_SUBJECT } from '../../../protocol/limits.ts';
import { orNullAfter } from '../../../shared/timeout.ts';
import { faultText, StorageError } from './storage.ts';

/** How many messages are read at once. */
const MAX_BATCH = 1_000;

/** NATS's error code: a stream of that name exists with another configuration. */
const STREAM_NAME_IN_USE = 10058;

/** How long NATS has to say why it did not answer a write (milliseconds). */
const FAULT_TIMEOUT_MS = 2_000;

/** NATS's error codes: the stream has `max_bytes`; the server has `max_file_store`. */
const STREAM_FULL = 10077;
const SERVER_FULL: ReadonlySet<number> = new Set([10023, 10047]);

export type Stream = Awaited<ReturnType<typeof openStream>>;

/**
 * A stream, which is written by publishing, and read by direct gets, without a consumer.
 *
 * @param unused a subject of it that has no messages, by which NATS says why it writes nothing; null: that is not asked.
 */
export async function openStream(nats: NatsConnection, name: string, unused: string | null) {
  const { direct, streams } = await jetstreamManager(nats);
  const { publish, startBatch } = bound(jetstream(nats));

  /**
   * Why NATS writes nothing, in its words; null when it writes. After a write that met a full disk it does not answer a
   * publish at all, but it does answer this: a purge of what is not there.
   */
  async function writeFault(): Promise<string | null> {
    if (unused === null) return null;
    try {
      await streams.purge(name, { filter: unused });
      return null;
    } catch (error) {
      if (error instanceof JetStreamApiError && error.status >= 500) return error.message;
      throw error;
    }
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
    const fault = await orNullAfter(FAULT_TIMEOUT_MS, writeFault());
    return fault === null ? error : new StorageError(faultText(fault), { cause: error });
  }

  const client: Pick<JetStreamClient, 'publish' | 'startBatch'> = {
    publish: async (...message) => {
      try {
        return await publish(...message);
      } catch (error) {
        throw await explained(error);
      }
    },
    startBatch,
  };
  return {
    client,
    writeFault,

    /** Creates the stream when it does not exist (at the first start, or after NATS lost its disk), or corrects its configuration. */
    async ensure(subjects: string[], maxBytes: number, keeps: 'all' | 'newest' = 'all'): Promise<void> {
      const config = {
        subjects,
        storage: StorageType.File,
        max_msgs_per_subject: keeps === 'all' ? MAX_MESSAGES_PER_SUBJECT : -1,
        max_bytes: maxBytes,
        // What nodes may need is never dropped to make room.
        discard: keeps === 'all' ? DiscardPolicy.New : DiscardPolicy.Old,
        allow_direct: true,
        allow_atomic: true,
      };
      try {
        await streams.add({ name, ...config });
      } catch (error) {
        if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NAME_IN_USE) throw error;
        await streams.update(name, config);
      }
    },

    /** How many bytes it has. */
    async size(): Promise<number> {
      return (await streams.info(name)).state.bytes;
    },

    /** How far NATS's clock is ahead of this process's (milliseconds), as exactly as half of a round trip. */
    async clockOffset(): Promise<number> {
      const [askedAt, startedAt] = [Date.now(), performance.now()];
      const info: object = await streams.info(name);
      const roundTripMs = performance.now() - startedAt;
      const clock = 'ts' in info ? Date.parse(String(info.ts)) : NaN;
      const offset = clock - (askedAt + roundTripMs / 2);
      return Number.isNaN(offset) || Math.abs(offset) <= roundTripMs / 2 ? 0 : offset;
    },

    /** The subjects under which the stream has messages, and how many of each. */
    async subjects(filter: string): Promise<Record<string, number>> {
      return (await streams.info(name, { subjects_filter: filter })).state.subjects ?? {};
    },

    /** The last message of a subject; null when there is none. */
    async last(subject: string): Promise<StoredMsg | null> {
      return direct.getMessage(name, { last_by_subj: subject });
    },

    /** The last message of each subject that matches. */
    async lastOfEach(filter: string): Promise<StoredMsg[]> {
      return collect(await direct.getLastMessagesFor(name, { multi_last: [filter] }));
    },

    /** The messages that the stream keeps of a subject, oldest first. */
    async kept(subject: string): Promise<StoredMsg[]> {
      const all = { seq: 0, next_by_subj: subject, batch: MAX_MESSAGES_PER_SUBJECT };
      return batchOf(() => direct.getBatch(name, all));
    },

    /** The messages of a subject since a moment, oldest first. */
    async since(subject: string, time: Date): Promise<StoredMsg[]> {
      const found: StoredMsg[] = [];
      let from: { start_time: Date } | { seq: number } = { start_time: time };
      for (;;) {
        const next = await batchOf(() => direct.getBatch(name, { ...from, next_by_subj: subject, batch: MAX_BATCH }));
        found.push(...next);
        const last = next.at(-1);
        if (last === undefined || next.length < MAX_BATCH) return found;
        from = { seq: last.seq + 1 };
      }
    },

    /** Removes one message. */
    async remove(position: number): Promise<void> {
      await streams.deleteMessage(name, position, false);
    },

    /** Removes the messages of a subject, but for the last ones. */
    async purge(subject: string, keep = 0): Promise<void> {
      await streams.purge(name, { filter: subject, keep });
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

function bound(client: JetStreamClient): Pick<JetStreamClient, 'publish' | 'startBatch'> {
  return { publish: client.publish.bind(client), startBatch: client.startBatch.bind(client) };
}
