import type { HeapProfiler } from 'node:inspector';

/** The names of modules' scripts: `demo@3f2a9c81b0d4`. */
export const SCRIPT = /^[a-z][a-z0-9-]*@[0-9a-f]{12}$/;

/** What the code of one revision has allocated, and what is still live of it. */
export interface Holder {
  /** The name of its script: `demo@3f2a9c81b0d4`. */
  readonly script: string;
  readonly bytes: number;
  /** The function of the script that allocated most of it: `demo@3f2a9c81b0d4:4:9`, counted from 1. */
  readonly position: string;
}

/** A part of V8's sampling heap profile. */
export type ProfileNode = Pick<HeapProfiler.SamplingHeapProfileNode, 'selfSize'> & {
  readonly callFrame: Pick<HeapProfiler.SamplingHeapProfileNode['callFrame'], 'url' | 'lineNumber' | 'columnNumber'>;
  readonly children: readonly ProfileNode[];
};

/** The revisions in a profile, the largest first. An allocation belongs to the innermost module on its stack. */
export function holdersOf(head: ProfileNode): Holder[] {
  const byPosition = new Map<string, Holder>();
  const open: { readonly node: ProfileNode; readonly owner: Pick<Holder, 'script' | 'position'> | null }[] = [
    { node: head, owner: null },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { callFrame, selfSize, children } = next.node;
    const { url: script, lineNumber, columnNumber } = callFrame;
    const position = `${script}:${lineNumber + 1}:${columnNumber + 1}`;
    const owner = SCRIPT.test(script) ? { script, position } : next.owner;
    if (owner !== null) {
      const bytes = (byPosition.get(owner.position)?.bytes ?? 0) + selfSize;
      byPosition.set(owner.position, { ...owner, bytes });
    }
    for (const node of children) open.push({ node, owner });
  }
  const byScript = new Map<string, Holder>();
  for (const holder of [...byPosition.values()].toSorted(bySize)) {
    const largest = byScript.get(holder.script);
    const bytes = (largest?.bytes ?? 0) + holder.bytes;
    byScript.set(holder.script, { ...(largest ?? holder), bytes });
  }
  return [...byScript.values()].toSorted(bySize);
}

/** What revisions hold more than before, the largest first. */
export function grownSince(holders: readonly Holder[], before: readonly Holder[]): Holder[] {
  const bytesBefore = new Map(before.map(({ script, bytes }) => [script, bytes]));
  return holders
    .map(holder => ({ ...holder, bytes: holder.bytes - (bytesBefore.get(holder.script) ?? 0) }))
    .filter(({ bytes }) => bytes > 0)
    .toSorted(bySize);
}

/**
 * The revision that the growth of memory comes from: it holds at least half of what all modules hold, and at least
 * `minBytes`; null when there is none. V8 does not know the module of every allocation, so that only those with one count.
 */
export function mainHolder(growth: readonly Holder[], minBytes: number): Holder | null {
  const total = growth.reduce((sum, { bytes }) => sum + bytes, 0);
  const [first] = growth;
  return first !== undefined && first.bytes >= minBytes && first.bytes >= total / 2 ? first : null;
}

const bySize = (a: Holder, b: Holder): number => b.bytes - a.bytes;
