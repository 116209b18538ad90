import { JetStreamError, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream';

import { HISTORY_LENGTH } from '../../../protocol/limits.ts';

/** Reads a stream by direct gets, without a consumer. */
export class StreamReader {
  readonly #manager: JetStreamManager;
  readonly #stream: string;

  constructor(manager: JetStreamManager, stream: string) {
    this.#manager = manager;
    this.#stream = stream;
  }

  /** The last message of a subject; null when there is none. */
  async last(subject: string): Promise<StoredMsg | null> {
    return this.#manager.direct.getMessage(this.#stream, { last_by_subj: subject });
  }

  /** The last message of each subject that matches. */
  async lastOfEach(subject: string): Promise<StoredMsg[]> {
    return collect(await this.#manager.direct.getLastMessagesFor(this.#stream, { multi_last: [subject] }));
  }

  /** The messages that the stream keeps of a subject, oldest first. */
  async kept(subject: string): Promise<StoredMsg[]> {
    const query = { seq: 0, next_by_subj: subject, batch: HISTORY_LENGTH };
    try {
      return await collect(await this.#manager.direct.getBatch(this.#stream, query));
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  }

  /** The subjects under which the stream has messages. */
  async subjects(filter: string): Promise<string[]> {
    const { state } = await this.#manager.streams.info(this.#stream, { subjects_filter: filter });
    return Object.keys(state.subjects ?? {});
  }
}

async function collect(messages: AsyncIterable<StoredMsg>): Promise<StoredMsg[]> {
  const all: StoredMsg[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

function isNotFound(error: unknown): boolean {
  return error instanceof JetStreamError && 'code' in error && error.code === 404;
}
