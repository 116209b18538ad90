import type { RefusalReason } from '../../../protocol/messages.ts';
import type { Ban } from '../watchdog/bans.ts';
import { scriptName, type Version } from './version.ts';

/** The result of a request to prepare or to load. */
export type LoadResult = { status: 'ok' } | Refused;

export interface Refused {
  status: 'refused';
  reason: RefusalReason;
  detail: string;
}

export const OK: LoadResult = { status: 'ok' };

export function refused(reason: RefusalReason, cause: unknown): Refused {
  const detail = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return { status: 'refused', reason, detail };
}

/** Refused because calls still run on the old version: a third version can't be loaded beside it. */
export function notPurged(old: Version): Refused {
  const calls = old.calls === 1 ? '1 call is' : `${old.calls} calls are`;
  return refused(
    'not_purged',
    `${calls} still running on ${scriptName(old)}, the version before current (--force purges it)`,
  );
}

/** Refused because the revision brought this node down before. */
export function banned({ detail }: Ban): Refused {
  return refused('banned', `it ${detail} (push --force lifts the ban)`);
}
