import { decode } from '../../../../protocol/codec.ts';
import { DecodeError } from '../../../../protocol/errors.ts';
import { type LogFilter, logMessage, MAX_LOG_MESSAGE_BYTES, passes } from '../../../../protocol/logs.ts';
import { EventBudget } from '../../../../shared/rates/event-budget.ts';
import type { Folding } from './folding.ts';

/** The field that each entry of a message has once. In a text, its quotes have a backslash. */
const ONCE_AN_ENTRY = '"level":';

/**
 * Reads what nodes send to a tail. What a node sends beyond its budget, or in too large a message, is not parsed: its entries are
 * counted as dropped.
 */
export function logReader(
  filter: LogFilter,
  folding: Pick<Folding, 'add' | 'drop'>,
  budget: Pick<EventBudget, 'take'> = new EventBudget(),
): (sender: string, data: Uint8Array) => void {
  return (sender, data) => {
    if (!budget.take(sender) || data.length > MAX_LOG_MESSAGE_BYTES) return folding.drop(entriesIn(data));
    try {
      const { entries, dropped } = decode(logMessage, data);
      for (const entry of entries) if (passes(filter, entry)) folding.add(sender, entry);
      folding.drop(dropped);
    } catch (cause) {
      // What a node sends that is no log is not shown.
      if (!(cause instanceof DecodeError)) throw cause;
    }
  };
}

/** The number of entries at the beginning of a message that is not parsed. */
function entriesIn(data: Uint8Array): number {
  const bytes = Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, MAX_LOG_MESSAGE_BYTES));
  let count = 0;
  for (let at = bytes.indexOf(ONCE_AN_ENTRY); at !== -1; at = bytes.indexOf(ONCE_AN_ENTRY, at + 1)) count += 1;
  return count;
}
