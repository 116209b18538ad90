import type { StoredMsg } from '@nats-io/jetstream';

/** How long a read is repeated that lacks what is known (milliseconds). Replicas that are well are some 50 ms behind at most. */
const FRESH_TIMEOUT_MS = 1_000;

/** The delay before the first repetition (milliseconds). Each further one is twice as long, up to the longest. */
const FIRST_DELAY_MS = 5;
const MAX_DELAY_MS = 100;

export type FreshReads = ReturnType<typeof createFreshReads>;

/**
 * Repeats reads of a replicated stream that are behind. Any replica answers a direct get, also one that has not heard of the last
 * write yet. So a process remembers for each subject which sequence its last message has at least, and repeats a read that
 * lacks it: it sees all that it has written, and never goes back behind what it has seen.
 *
 * After {@link FRESH_TIMEOUT_MS}, what is lacking counts as lost (NATS lost its disk, an older stream was restored, somebody else has
 * removed it) and is forgotten. What became known only while it was read is not: a later read waits for it.
 */
export function createFreshReads() {
  const known = new Map<string, number>();

  function note(subject: string, sequence: number): void {
    if (sequence > (known.get(subject) ?? 0)) known.set(subject, sequence);
  }

  function knownOf(filter: string): readonly string[] {
    if (!filter.includes('*')) return known.has(filter) ? [filter] : [];
    const tokens = filter.split('.');
    return [...known.keys()].filter(subject => isMatch(tokens, subject.split('.')));
  }

  return {
    /** Takes note that the last message of a subject has this sequence, or a higher one. */
    note,

    /** The messages of subjects were removed. */
    forget: (filter: string): void => {
      for (const subject of knownOf(filter)) known.delete(subject);
    },

    /** @param filter a subject, with `*` for tokens, of which `read` reads the last messages, and maybe earlier ones. */
    async read(filter: string, read: () => Promise<StoredMsg[]>): Promise<StoredMsg[]> {
      const deadline = performance.now() + FRESH_TIMEOUT_MS;
      const before = new Map(knownOf(filter).map(subject => [subject, known.get(subject)]));
      for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
        const messages = await read();
        const found = new Map<string, number>();
        for (const { subject, seq } of messages) found.set(subject, Math.max(seq, found.get(subject) ?? 0));
        const lacking = knownOf(filter).filter(subject => (found.get(subject) ?? 0) < (known.get(subject) ?? 0));
        const isOver = performance.now() >= deadline;
        const lost = lacking.filter(subject => known.get(subject) === before.get(subject));
        if (isOver) for (const subject of lost) known.delete(subject);
        if (isOver || lacking.length === 0) {
          for (const [subject, sequence] of found) note(subject, sequence);
          return messages;
        }
        await new Promise(resolve => setTimeout(resolve, delayMs));
      }
    },
  };
}

function isMatch(filter: readonly string[], subject: readonly string[]): boolean {
  return filter.length === subject.length && filter.every((token, index) => token === '*' || token === subject[index]);
}
