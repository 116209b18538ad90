import type { RefusalReason } from '../../../protocol/messages.ts';

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
