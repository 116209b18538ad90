import type { NodeChange } from '../../../protocol/history/node-change.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { Audit } from '../store/audit.ts';

/** How many changes wait for an audit that does not take them, at most: each node of a large fleet has one. */
export const MAX_WAITING = 10_000;

export type ChangeWriter = ReturnType<typeof createChangeWriter>;

/**
 * Writes changes of nodes into the audit, in their order. What the audit does not take waits in memory, and is tried again at each
 * `flush`.
 */
export function createChangeWriter(audit: Pick<Audit, 'writeNodeChange'>, log: Logger) {
  const waiting: NodeChange[] = [];
  let isWriting = false;
  let isFailing = false;

  async function flush(): Promise<void> {
    if (isWriting) return;
    isWriting = true;
    try {
      for (let [change] = waiting; change !== undefined; [change] = waiting) {
        await audit.writeNodeChange(change);
        waiting.shift();
        if (isFailing) log.info({}, 'the audit takes what happens to nodes again');
        isFailing = false;
      }
    } catch (error) {
      const node = waiting[0]?.node;
      if (!isFailing)
        log.warn({ err: error, node }, 'the audit could not be written; what happens to nodes waits for it');
      isFailing = true;
    } finally {
      isWriting = false;
    }
  }

  return {
    /** Writes the changes that wait. It never rejects. */
    flush,

    /** Whether a change more would be too many. */
    get isFull(): boolean {
      return waiting.length >= MAX_WAITING;
    },

    /** Takes a change, which is written after those before it. */
    write(change: NodeChange): void {
      waiting.push(change);
      void flush();
    },
  };
}
