import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { median } from 'simple-statistics';

import { count, goals, section, table } from '../table.ts';
import { GeneratedModule } from './generated.ts';
import { commit, silentServer, withCache } from './node.ts';

const SWAPS = 10_000;
const SAMPLE_INTERVAL = 1_000;

/** Numbers that take 1 MiB. */
const HELD = 131_072;
const MIB = 1024 ** 2;

/** A process of this size is stopped (bytes). */
const MAX_RSS = 1.5 * 1024 ** 3;

/** Memory is flat when its median in the second half of the swaps is at most this share above that of the first half. */
const FLAT = 0.2;

/** Loads version after version of a 100 KB module; each holds 1 MiB. On a node, a call is held on the first one throughout. */
export async function memoryReport(way: 'hotcast' | 'import'): Promise<string> {
  const generated = new GeneratedModule(100 * 1024);
  const swap = way === 'hotcast' ? swapOnNode(generated) : swapByImport(generated);
  let collected = 0;
  const registry = new FinalizationRegistry<number>(() => (collected += 1));
  const samples: { swaps: number; heap: number; rss: number; collected: number }[] = [];
  let isFull = false;
  for (let swaps = 1; swaps <= SWAPS && !isFull; swaps += 1) {
    const { held } = (await swap(swaps)) as { readonly held?: unknown };
    if (!Array.isArray(held) || held.length !== HELD) throw new TypeError('the version was not loaded');
    registry.register(held, swaps);
    // Finalizers run between turns of the event loop.
    await turn();
    isFull = process.memoryUsage.rss() > MAX_RSS;
    if (swaps % SAMPLE_INTERVAL !== 0 && !isFull) continue;
    for (let round = 0; round < 3; round += 1) {
      globalThis.gc?.();
      await pause(20);
    }
    const { heapUsed: heap, rss } = process.memoryUsage();
    samples.push({ swaps, heap, rss, collected });
  }
  const isFlat = (kind: 'heap' | 'rss'): boolean => {
    const half = (late: boolean) => samples.filter(each => each.swaps > SWAPS / 2 === late).map(each => each[kind]);
    return !isFull && median(half(true)) <= median(half(false)) * (1 + FLAT);
  };
  return section(
    `Memory with ${way}: swaps of a 100 KB module that holds 1 MiB (MiB after a full collection)`,
    table(
      samples,
      ['swaps', ({ swaps }) => count(swaps)],
      ['heap', ({ heap }) => heap / MIB],
      ['rss', ({ rss }) => rss / MIB],
      ['collected', sample => count(sample.collected)],
    ),
    way === 'import'
      ? `import('?v=') ${isFull ? 'was stopped' : 'reached the end'} after ${count(samples.at(-1)?.swaps ?? 0)} swaps`
      : goals(
          [isFlat('heap'), `the heap is flat over ${count(SWAPS)} swaps`],
          [isFlat('rss'), `the resident memory is flat over ${count(SWAPS)} swaps`],
          // The first version, on which a call runs, and the current one are alive; one can wait for the last turn.
          [collected >= SWAPS - 3, 'every other version was collected'],
        ),
  );
}

/** Loads a version and returns its exports. */
type Swap = (version: number) => Promise<unknown>;

function swapOnNode(generated: GeneratedModule): Swap {
  const server = silentServer();
  return async version => {
    const bundle = generated.bundle(version, HELD);
    server.prepare(withCache(bundle));
    commit(server, bundle, version);
    const current = server.current(bundle.module);
    if (version === 1 && current !== null) server.beginCall(current, 'GET', `/${bundle.module}/`);
    return current?.exports;
  };
}

function swapByImport(generated: GeneratedModule): Swap {
  const file = join(mkdtempSync(join(tmpdir(), 'import-')), 'subject.mjs');
  return async version => {
    writeFileSync(file, generated.esModule(version, HELD));
    return (await import(`${pathToFileURL(file).href}?v=${version}`)) as unknown;
  };
}
