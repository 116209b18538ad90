import type { RefusalReason } from '../../../protocol/messages.ts';

/** The result of a request to prepare or to load. `waitedMs`: the longest time that a call has waited for the switch. */
export type LoadResult = { status: 'ok'; waitedMs?: number } | Refused;

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
