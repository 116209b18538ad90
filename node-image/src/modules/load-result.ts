import type { BanCause, RefusalReason } from '../../../protocol/messages.ts';

/** The result of a request to prepare or to load. */
export type LoadResult = Loaded | Refused;

export interface Loaded {
  status: 'ok';
  /** The longest time that a call has waited for the switch (milliseconds). */
  waitedMs?: number;
  /** What the authors of the modules should know, a sentence each. */
  warnings?: readonly string[];
}

export interface Refused {
  status: 'refused';
  reason: RefusalReason;
  /** Why it is banned. */
  cause?: BanCause;
  detail: string;
}

export const OK: Loaded = { status: 'ok' };

/** @param detail one line with the details. */
export function refused(reason: RefusalReason, detail: string): Refused {
  return { status: 'refused', reason, detail };
}
