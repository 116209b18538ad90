import type { Bundle } from '../../protocol/bundle.ts';
import { encode } from '../../protocol/codec.ts';
import { MAX_MODULES } from '../../protocol/limits.ts';
import { compiledSubject } from '../subject.ts';
import { count, goals, section, table } from '../table.ts';
import { collectedMemory, latencyOf, load, silentServer, withCache } from './node.ts';

const COUNTS = [1, 100, MAX_MODULES];
const SAMPLES = 100;
const MIB = 1024 ** 2;

/** A swap beside the maximum number of modules takes at most so many times as long as beside none. */
const MAX_SLOWDOWN = 2;

/** Fills a node with modules of 1 KB, and swaps one of them. */
export async function modulesReport(): Promise<string> {
  const subject = compiledSubject(1_024);
  const server = silentServer();
  let version = 0;
  const next = (module: string): Bundle => withCache(subject.bundle((version += 1), 0, module));
  let loaded = 0;
  let spentMs = 0;
  const rows: { modules: number; loadMs: number; swapMs: number; heap: number; rss: number; described: number }[] = [];
  for (const modules of COUNTS) {
    for (; loaded < modules; loaded += 1) {
      const bundle = next(`subject-${loaded}`);
      const startedAt = performance.now();
      load(server, bundle, version);
      spentMs += performance.now() - startedAt;
    }
    let bundle = next('subject-0');
    const beforeEach = (): void => void (bundle = next('subject-0'));
    const swap = await latencyOf(SAMPLES, () => load(server, bundle, version), { beforeEach });
    const described = encode({ modules: server.describe(), draining: [], refusals: {} }).length;
    rows.push({ modules, loadMs: spentMs, swapMs: swap.p50, ...(await collectedMemory()), described });
  }
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) throw new TypeError('nothing was measured');
  const slowdown = last.swapMs / first.swapMs;
  return section(
    'Modules of 1 KB on a node (MiB after a full collection; loads are prepared and activated)',
    table(
      'modules | heap | rss | all loads, ms | a swap, ms | a description, KB',
      rows.map(({ modules, heap, rss, loadMs, swapMs, described }) => {
        return [count(modules), heap / MIB, rss / MIB, loadMs, swapMs, described / 1_024];
      }),
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
