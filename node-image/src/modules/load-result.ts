import type { RefusalReason } from '../../../protocol/messages.ts';

/** The result of a request to prepare or to load. */
export type LoadResult = { status: 'ok' } | Refused;

export interface Refused {
  status: 'refused';
  reason: RefusalReason;
  detail: string;
}

export const OK: LoadResult = { status: 'ok' };

/** @param detail one line with the details. */
export function refused(reason: RefusalReason, detail: string): Refused {
  return { status: 'refused', reason, detail };
}
