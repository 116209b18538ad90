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

export type Reconciler = ReturnType<typeof createReconciler>;

/** Brings a node to the heads in the stream, even if it missed messages. */
export function createReconciler(node: string, codeServer: CodeServer, records: RecordSource, log: Logger) {
  let reading: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const fetch = async (module: string, revision: string): Promise<LoadResult> => {
    try {
      const bundle = await records.bundle(module, revision);
      if (stopped) return refused('nofile', 'the node stops');
      if (bundle !== null) return codeServer.prepare(bundle);
      return refused('nofile', 'the stream does not have this bundle');
    } catch (error) {
      if (error instanceof DecodeError) return refused('badfile', error.message);
      // A valid bundle can replace it.
      if (error instanceof RejectedError) return refused('nofile', error.message);
      throw error;
    }
  };

  /** Applies heads that were written together. Prepared revisions are activated before this returns a promise. */
  const apply = async (heads: readonly Head[]): Promise<LoadResult> => {
    const assignments = heads.map(head => ({
      module: head.module,
      revision: desiredRevision(head, node),
      sequence: head.sequence,
      force: head.force,
      // A canary has run for long: its data is not what it was before.
      revert: isAutomaticRollback(head) && head.cause !== 'canary',
    }));
    for (const { module, revision } of assignments) {
      if (revision === null || codeServer.isPrepared(module, revision)) continue;
      const fetched = await fetch(module, revision);
      if (fetched.status === 'refused') return fetched;
    }
    return codeServer.commit(assignments);
  };

  /** Applies every unseen head in the stream. Never rejects: after an error the stream is read again at the next digest. */
  const readHeads = async (): Promise<void> => {
    try {
      const unseen = (await records.heads()).filter(head => head.sequence > codeServer.headSeen(head.module));
      for (const push of new Set(unseen.map(head => head.push))) {
        const heads = unseen.filter(head => head.push === push);
        const result = await apply(heads);
        if (stopped) return;
        const fields = { heads: heads.map(({ module, revision, sequence }) => ({ module, revision, sequence })) };
        if (result.status === 'ok') log.info(fields, 'caught up with the stream');
        else log.error({ ...fields, outcome: result }, 'could not catch up with the stream');
      }
    } catch (error) {
      if (!stopped) log.warn({ err: error }, 'the stream could not be read; trying again at the next digest');
    }
  };

  /** Reads the stream after a random time when a digest has a head that this node has not seen. */
  const compare = async (digest: DigestRequest): Promise<void> => {
    const behind = Object.entries(digest.heads).some(([module, sequence]) => sequence > codeServer.headSeen(module));
    if (!behind || reading !== null || stopped) return;
    const maxJitterMs = JITTER_SHARE * (digest.heartbeatInterval ?? HEARTBEAT_INTERVAL);
    reading = new Promise<void>(resolve => (timer = setTimeout(resolve, Math.random() * maxJitterMs)))
      .then(readHeads)
      .finally(() => (reading = null));
    await reading;
  };

  /** Ends the reconciler: nothing is read or applied any more. */
  const dispose = (): void => {
    stopped = true;
    clearTimeout(timer);
  };
  return { apply, compare, readHeads, [Symbol.dispose]: dispose };
}
