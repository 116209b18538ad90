import { getHeapStatistics } from 'node:v8';

import { collectGarbage } from '../../../shared/collect-garbage.ts';

/** How long after a change its garbage is collected: a random time, so that the nodes of a machine take turns (milliseconds). */
const MIN_WAIT_MS = 200;
const MAX_WAIT_MS = 1_200;

/** How much has to be added before what is young is collected (bytes). V8 does so by itself when objects alone have 4 MB. */
const MIN_YOUNG_BYTES = 2.5 * 2 ** 20;

/** How much of that has to be left since the last full collection before the next (bytes). V8's own comes when it is about twice as much. */
const MIN_OLD_BYTES = 5 * 2 ** 20;

/** A timer for each change takes some of a small one, so not more changes than this are left out. */
const MAX_SKIPPED = 4;

/** A heap that is larger than this is left to V8, which collects it in small steps (bytes). To collect less takes about 10 ms. */
const MAX_HEAP_BYTES = 48 * 2 ** 20;

/**
 * Collects the garbage of changes between them. All nodes do the same work in a push, so without this their heaps reach V8's limit in the
 * same push: the collection at the start of a node has set that limit low. Most of what a change leaves is young.
 *
 * @returns what is to be called with each change, and disposed of.
 */
export function collectAfterChanges(collect = collectGarbage, usedBytes = bytesInUse) {
  let timer: NodeJS.Timeout | null = null;
  /** What the last collection has left, and the last full one. */
  let leftBytes = usedBytes();
  let oldBytes = leftBytes;
  /** The changes since the last collection, and how many of the next ones are not worth a look. */
  let changes = 0;
  let skipped = 0;
  const collectIfWorth = (): void => {
    timer = null;
    const used = usedBytes();
    leftBytes = Math.min(leftBytes, used);
    oldBytes = Math.min(oldBytes, used);
    const garbage = used - leftBytes;
    if (garbage < MIN_YOUNG_BYTES) {
      // Half as many as it would take.
      const enough = (MIN_YOUNG_BYTES - garbage) / (garbage / changes);
      skipped = Math.min(MAX_SKIPPED, Math.floor(enough / 2));
      return;
    }
    if (used > MAX_HEAP_BYTES) return;
    collect('minor');
    if (usedBytes() - oldBytes >= MIN_OLD_BYTES) {
      collect('major');
      oldBytes = usedBytes();
    }
    leftBytes = usedBytes();
    changes = 0;
  };
  return {
    changed: (): void => {
      changes += 1;
      if (timer !== null) return;
      if (skipped > 0) skipped -= 1;
      else timer = setTimeout(collectIfWorth, MIN_WAIT_MS + Math.random() * (MAX_WAIT_MS - MIN_WAIT_MS)).unref();
    },
    [Symbol.dispose]: (): void => clearTimeout(timer ?? undefined),
  };
}

function bytesInUse(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}
