import type { Bundle } from '../../../protocol/bundle.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { desiredRevision, type Head, isAutomaticRollback } from '../../../protocol/head.ts';
import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import type { DigestRequest } from '../../../protocol/messages.ts';
import type { CodeServer } from '../modules/code-server.ts';
import { RejectedError } from '../admission/verifier.ts';
import { type LoadResult, refused } from '../modules/load-result.ts';
import type { Logger } from '../../../shared/logger.ts';

/**
 * A node that is behind waits a random time before it reads the stream, at most this share of the heartbeat interval: half
 * a second, and more in a large fleet, whose heartbeats are rarer.
 */
const JITTER_SHARE = 1 / 4;

/** The records that a node reads from the cluster's stream. */
export interface RecordSource {
  /** The newest head of every module. */
  heads(): Promise<readonly Head[]>;
  /** A bundle by its revision; null when the stream does not have it. */
  bundle(module: string, revision: string): Promise<Bundle | null>;
}

/** Brings a node to the heads in the stream, even if it missed messages. */
export class Reconciler implements Disposable {
  readonly #node: string;
  readonly #codeServer: CodeServer;
  readonly #records: RecordSource;
  readonly #log: Logger;
  #reading: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(node: string, codeServer: CodeServer, records: RecordSource, log: Logger) {
    this.#node = node;
    this.#codeServer = codeServer;
    this.#records = records;
    this.#log = log;
  }

  /** Applies heads that were written together. Prepared revisions are activated before this returns a promise. */
  async apply(heads: readonly Head[]): Promise<LoadResult> {
    const assignments = heads.map(head => ({
      module: head.module,
      revision: desiredRevision(head, this.#node),
      sequence: head.sequence,
      force: head.force,
      // A canary has run for long: its data is not what it was before.
      revert: isAutomaticRollback(head) && head.cause !== 'canary',
    }));
    for (const { module, revision } of assignments) {
      if (revision === null || this.#codeServer.isPrepared(module, revision)) continue;
      const fetched = await this.#fetch(module, revision);
      if (fetched.status === 'refused') return fetched;
    }
    return this.#codeServer.commit(assignments);
  }

  /** Reads the stream after a random time when a digest has a head that this node has not seen. */
  async compare(digest: DigestRequest): Promise<void> {
    const behind = Object.entries(digest.heads).some(
      ([module, sequence]) => sequence > this.#codeServer.headSeen(module),
    );
    if (!behind || this.#reading !== null || this.#stopped) return;
    const maxJitterMs = JITTER_SHARE * (digest.heartbeatInterval ?? HEARTBEAT_INTERVAL);
    this.#reading = new Promise<void>(resolve => (this.#timer = setTimeout(resolve, Math.random() * maxJitterMs)))
      .then(() => this.readHeads())
      .finally(() => (this.#reading = null));
    await this.#reading;
  }

  /** Applies every unseen head in the stream. Never rejects: after an error the stream is read again at the next digest. */
  async readHeads(): Promise<void> {
    try {
      const unseen = (await this.#records.heads()).filter(
        head => head.sequence > this.#codeServer.headSeen(head.module),
      );
      for (const push of new Set(unseen.map(head => head.push))) {
        const heads = unseen.filter(head => head.push === push);
        const result = await this.apply(heads);
        if (this.#stopped) return;
        const fields = { heads: heads.map(({ module, revision, sequence }) => ({ module, revision, sequence })) };
        if (result.status === 'ok') this.#log.info(fields, 'caught up with the stream');
        else this.#log.error({ ...fields, outcome: result }, 'could not catch up with the stream');
      }
    } catch (error) {
      if (!this.#stopped)
        this.#log.warn({ err: error }, 'the stream could not be read; trying again at the next digest');
    }
  }

  /** Ends the reconciler: nothing is read or applied any more. */
  [Symbol.dispose](): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #fetch(module: string, revision: string): Promise<LoadResult> {
    try {
      const bundle = await this.#records.bundle(module, revision);
      if (this.#stopped) return refused('nofile', 'the node stops');
      if (bundle !== null) return this.#codeServer.prepare(bundle);
      return refused('nofile', 'the stream does not have this bundle');
    } catch (error) {
      if (error instanceof DecodeError) return refused('badfile', error.message);
      // A valid bundle can replace it.
      if (error instanceof RejectedError) return refused('nofile', error.message);
      throw error;
    }
  }
}
