import { setTimeout as pause } from 'node:timers/promises';

import type { Bundle } from '../../protocol/bundle.ts';
import { encode } from '../../protocol/codec.ts';
import { MAX_MODULES } from '../../protocol/limits.ts';
import { count, goals, section, table } from '../table.ts';
import { GeneratedModule } from './generated.ts';
import { commit, latencyOf, silentServer, withCache } from './node.ts';

const COUNTS = [1, 100, MAX_MODULES];
const SAMPLES = 100;
const MIB = 1024 ** 2;

/** A swap beside the maximum number of modules takes at most so many times as long as beside none. */
const MAX_SLOWDOWN = 2;

/** Fills a node with modules of 1 KB, and swaps one of them. */
export async function modulesReport(): Promise<string> {
  const generated = new GeneratedModule(1_024);
  const server = silentServer();
  let version = 0;
  const next = (module: string): Bundle => {
    version += 1;
    return withCache({ ...generated.bundle(version), module });
  };
  const load = (bundle: Bundle): void => {
    server.prepare(bundle);
    commit(server, bundle, version);
  };
  let loaded = 0;
  let loadMs = 0;
  const rows: { modules: number; loadMs: number; swapMs: number; heap: number; rss: number; described: number }[] = [];
  for (const modules of COUNTS) {
    for (; loaded < modules; loaded += 1) {
      const bundle = next(`subject-${loaded}`);
      const startedAt = performance.now();
      load(bundle);
      loadMs += performance.now() - startedAt;
    }
    let bundle = next('subject-0');
    const swap = await latencyOf(SAMPLES, () => load(bundle), { beforeEach: () => void (bundle = next('subject-0')) });
    for (let round = 0; round < 3; round += 1) {
      globalThis.gc?.();
      await pause(20);
    }
    const { heapUsed: heap, rss } = process.memoryUsage();
    const described = encode({ modules: server.describe(), draining: [], refusals: {} }).length;
    rows.push({ modules, loadMs, swapMs: swap.p50, heap, rss, described });
  }
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) throw new TypeError('nothing was measured');
  const slowdown = last.swapMs / first.swapMs;
  return section(
    'Modules of 1 KB on a node (MiB after a full collection; loads are prepared and activated)',
    table(
      rows,
      ['modules', ({ modules }) => count(modules)],
      ['heap', ({ heap }) => heap / MIB],
      ['rss', ({ rss }) => rss / MIB],
      ['all loads, ms', row => row.loadMs],
      ['a swap, ms', ({ swapMs }) => swapMs],
      ['a description, KB', ({ described }) => described / 1_024],
    ),
    goals(
      [
        slowdown <= MAX_SLOWDOWN,
        `a swap beside ${count(MAX_MODULES)} modules takes ${slowdown.toFixed(1)} times as long as beside none, at most ${MAX_SLOWDOWN}`,
      ],
      [
        last.described < MIB / 4,
        `a node with ${count(MAX_MODULES)} modules describes itself in less than a quarter of a MiB`,
      ],
    ),
  );
}
