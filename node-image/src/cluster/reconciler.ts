import type { Bundle } from '../../../protocol/bundle.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { desiredRevision, type Head } from '../../../protocol/head.ts';
import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import type { DigestRequest } from '../../../protocol/messages.ts';
import type { CodeServer } from '../modules/code-server.ts';
import { RejectedError } from '../admission/verifier.ts';
import type { LoadResult } from '../modules/load-result.ts';
import type { Logger } from '../../../shared/logger.ts';

/**
 * A node that is behind waits a random part of this share of the time between heartbeat events before it reads the stream:
 * of half a second, and of more in a fleet so large that its nodes tell less often that they are there.
 */
const JITTER = 1 / 4;

/** What a node reads of the cluster's stream. */
export interface RecordSource {
  /** The newest head of every module. */
  heads(): Promise<readonly Head[]>;
  /** A bundle by its revision; null when the stream has none. */
  bundle(module: string, revision: string): Promise<Bundle | null>;
}

/** Brings a node to the heads of the stream, whatever messages it missed. */
export class Reconciler {
  readonly #node: string;
  readonly #codeServer: CodeServer;
  readonly #records: RecordSource;
  readonly #log: Logger;
  #reading: Promise<void> | null = null;

  constructor(node: string, codeServer: CodeServer, records: RecordSource, log: Logger) {
    this.#node = node;
    this.#codeServer = codeServer;
    this.#records = records;
    this.#log = log;
  }

  /** Obeys heads that were written together. What was prepared is switched to before this returns a promise. */
  async obey(heads: readonly Head[]): Promise<LoadResult> {
    const assignments = heads.map(head => ({
      module: head.module,
      revision: desiredRevision(head, this.#node),
      sequence: head.sequence,
      force: head.force,
      revert: head.revertOf !== null,
    }));
    for (const { module, revision } of assignments) {
      if (revision === null || this.#codeServer.holds(module, revision)) continue;
      const outcome = await this.#fetch(module, revision);
      if (outcome.status === 'refused') return outcome;
    }
    return this.#codeServer.commit(assignments);
  }

  /** Reads the stream when a digest names a head that this node has not seen; jitter keeps a fleet from doing so at once. */
  async compare(digest: DigestRequest): Promise<void> {
    const behind = Object.entries(digest.heads).some(
      ([module, sequence]) => sequence > this.#codeServer.headSeen(module),
    );
    if (!behind || this.#reading !== null) return;
    const jitter = JITTER * (digest.heartbeatInterval ?? HEARTBEAT_INTERVAL);
    this.#reading = new Promise<void>(resolve => setTimeout(resolve, Math.random() * jitter))
      .then(() => this.readHeads())
      .finally(() => (this.#reading = null));
    await this.#reading;
  }

  /** Obeys every head in the stream. Never throws: what can't be read now is read after the next digest. */
  async readHeads(): Promise<void> {
    try {
      const news = (await this.#records.heads()).filter(head => head.sequence > this.#codeServer.headSeen(head.module));
      for (const push of new Set(news.map(head => head.push))) {
        const heads = news.filter(head => head.push === push);
        const outcome = await this.obey(heads);
        const fields = { heads: heads.map(({ module, revision, sequence }) => ({ module, revision, sequence })) };
        if (outcome.status === 'ok') this.#log.info(fields, 'caught up with the stream');
        else this.#log.error({ ...fields, outcome }, 'could not catch up with the stream');
      }
    } catch (error) {
      this.#log.warn({ err: error }, 'the stream could not be read; trying again at the next digest');
    }
  }

  async #fetch(module: string, revision: string): Promise<LoadResult> {
    try {
      const bundle = await this.#records.bundle(module, revision);
      if (bundle !== null) return this.#codeServer.prepare(bundle);
      return { status: 'refused', reason: 'nofile', detail: 'the stream has no such bundle' };
    } catch (error) {
      if (error instanceof DecodeError) return { status: 'refused', reason: 'badfile', detail: error.message };
      // A good one may be written in its place.
      if (error instanceof RejectedError) return { status: 'refused', reason: 'nofile', detail: error.message };
      throw error;
    }
  }
}
