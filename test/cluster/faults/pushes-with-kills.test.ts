import { describe, expect } from 'vitest';

import type { PushResult } from '../../../controller/src/api/results.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';
import { waitForConvergence, runningRevisions } from '../../support/cluster/convergence.ts';
import { PushObserver } from '../../support/cluster/push-observer.ts';
import { versionSource } from '../../support/cluster/module-sources.ts';

const it = clusterTest({ nodes: 4 });

const PUSHES = Number(process.env['PUSHES'] || 40);

/** One of this number of pushes is of a module that cannot be loaded. */
const REFUSED_EVERY = 10;

/** The probability that a node is killed during a push. */
const KILL_PROBABILITY = 0.2;

/** Set SEED to repeat a run with the seed that it printed. */
const SEED = Number(process.env['SEED'] || Date.now() % 1e9);

/** Pseudo-random numbers from 0 to 1 (mulberry32, Tommy Ettinger 2017). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe(`${PUSHES} pushes in a row, with nodes killed at random`, () => {
  it(
    `lose no committed push, and every node ends on the last one (SEED=${SEED})`,
    { timeout: 300_000 + PUSHES * 1_500 },
    async ({ cluster }) => {
      await using observer = await PushObserver.start(cluster);
      const next = random(SEED);
      const committed: string[] = [];
      /** The nodes that were killed and are not ready again. */
      const restarting = new Map<string, Promise<void>>();
      let kills = 0;
      const killAndStart = async (node: string): Promise<void> => {
        await cluster.kill(node);
        await cluster.startContainer(node);
        restarting.delete(node);
      };

      for (let push = 1; push <= PUSHES; push += 1) {
        const isInvalid = push % REFUSED_EVERY === 0;
        // Eight versions take turns; each invalid module is a different one.
        cluster.writeModule('marathon', isInvalid ? `export const bad${push} = /(/;` : versionSource(`${push % 8}`));
        const pushing = cluster.hotcast('push', 'marathon', '--timeout', '1', '--json');
        const victim = cluster.nodeNames[Math.floor(next() * cluster.nodeNames.length)] ?? 'fred';
        if ((push === 1 || next() < KILL_PROBABILITY) && restarting.size < 2 && !restarting.has(victim)) {
          kills += 1;
          restarting.set(victim, killAndStart(victim));
        }
        const { exitCode, stdout } = await pushing;
        if (isInvalid) {
          expect(exitCode).toBe(2);
          continue;
        }
        const { outcome, modules } = JSON.parse(stdout) as PushResult;
        // On a very busy machine no node answers within the timeout, and nothing changes.
        expect(['committed', 'unanswered'], stdout).toContain(outcome);
        if (outcome === 'committed') committed.push(modules[0]?.revision ?? '');
      }
      await Promise.all(restarting.values());

      expect(kills).toBeGreaterThan(0);
      expect(committed.length).toBeGreaterThan(PUSHES / 2);
      await waitForConvergence(cluster);
      expect(await runningRevisions(cluster, 'marathon')).toEqual([committed.at(-1)]);
      await observer.flush();
      expect(observer.heads.map(({ revision }) => revision)).toEqual(committed);
      const sequences = observer.heads.map(({ sequence }) => sequence);
      expect(sequences).toEqual([...new Set(sequences)].toSorted((a, b) => a - b));
      const newest = (await cluster.history('marathon')).slice(0, 16).map(({ revision }) => revision);
      expect(newest).toEqual(committed.slice(-16).toReversed());

      const committedRevisions = new Set(committed.map(shortRevision));
      for (const node of cluster.nodeNames) {
        const loaded = (await cluster.logsOf(node)).filter(({ msg }) => msg === 'loaded');
        expect(loaded).not.toEqual([]);
        expect(loaded.filter(({ revision }) => !committedRevisions.has(revision ?? ''))).toEqual([]);
      }
    },
  );
});
