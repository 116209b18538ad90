import { describe, expect } from 'vitest';

import type { PushResult } from '../../../controller/src/api/results.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { onHeads, running } from '../../support/on-heads.ts';
import { PushWatch } from '../../support/push-watch.ts';
import { version } from '../../support/sources.ts';

const it = clusterTest({ nodes: 4 });

const PUSHES = 100;

/** Every so many pushes, one that can't be loaded. */
const REFUSED_EVERY = 10;

/** How probable it is that a push has a node killed in it. */
const KILLS = 0.12;

/** Another seed is given as SEED, to see again what a run printed. */
const SEED = Number(process.env['SEED'] || Date.now() % 1e9);

/** Numbers from 0 to 1 that follow from a seed (mulberry32, Tommy Ettinger 2017). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('a hundred pushes in a row, with nodes killed at random', () => {
  it(`lose no committed push, and end on the last one (SEED=${SEED})`, { timeout: 180_000 }, async ({ cluster }) => {
    await using watch = await PushWatch.start(cluster);
    const next = random(SEED);
    const committed: string[] = [];
    /** The nodes that were killed, each until it is ready again. */
    const away = new Map<string, Promise<void>>();
    let kills = 0;
    const killAndStart = async (node: string): Promise<void> => {
      await cluster.kill(node);
      await cluster.startAgain(node);
      away.delete(node);
    };

    for (let push = 1; push <= PUSHES; push += 1) {
      const unfit = push % REFUSED_EVERY === 0;
      // Eight versions take turns; what is unfit is so in a new way each time.
      cluster.writeModule('marathon', unfit ? `export const bad${push} = /(/;` : version(`${push % 8}`));
      const pushing = cluster.hotcast('push', 'marathon', '--timeout', '1', '--json');
      const victim = cluster.names[Math.floor(next() * cluster.names.length)] ?? 'fred';
      if (next() < KILLS && away.size < 2 && !away.has(victim)) {
        kills += 1;
        away.set(victim, killAndStart(victim));
      }
      const { exitCode, stdout } = await pushing;
      if (unfit) {
        expect(exitCode).toBe(2);
        continue;
      }
      const { outcome, modules } = JSON.parse(stdout) as PushResult;
      // On a machine that is too busy for a second, nobody answers and nothing changes.
      expect(['committed', 'unanswered']).toContain(outcome);
      if (outcome === 'committed') committed.push(modules[0]?.revision ?? '');
    }
    await Promise.all(away.values());

    expect(kills).toBeGreaterThan(0);
    expect(committed.length).toBeGreaterThan(PUSHES / 2);
    await onHeads(cluster);
    expect(await running(cluster, 'marathon')).toEqual([committed.at(-1)]);
    await watch.settled();
    expect(watch.heads.map(({ revision }) => revision)).toEqual(committed);
    const sequences = watch.heads.map(({ sequence }) => sequence);
    expect(sequences).toEqual([...new Set(sequences)].toSorted((a, b) => a - b));
    const kept = (await cluster.history('marathon')).map(({ revision }) => revision);
    expect(kept).toEqual(committed.slice(-16).toReversed());

    const ever = new Set(committed.map(shortRevision));
    for (const node of cluster.names) {
      const loaded = (await cluster.logsOf(node)).filter(({ msg }) => msg === 'loaded');
      expect(loaded).not.toEqual([]);
      expect(loaded.filter(({ revision }) => !ever.has(revision ?? ''))).toEqual([]);
    }
  });
});
