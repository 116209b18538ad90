import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { median } from 'simple-statistics';

import { compiledSubject } from '../subject.ts';
import { count, goals, section, table } from '../table.ts';
import { collectedMemory, load, silentServer, withCache } from './node.ts';

const SWAPS = 10_000;
const SAMPLE_INTERVAL = 1_000;

const SUBJECT = compiledSubject(100 * 1024);

/** Numbers that take 1 MiB. */
const HELD = 131_072;
const MIB = 1024 ** 2;

/** A process of this size is stopped (bytes). */
const MAX_RSS = 1.5 * 1024 ** 3;

/** Memory is flat when its median in the second half of the swaps is at most this share above that of the first half. */
const FLAT = 0.2;

/** Loads version after version of a 100 KB module; each holds 1 MiB. On a node, a call is held on the first one throughout. */
export async function memoryReport(way: 'hotcast' | 'import'): Promise<string> {
  const swap = way === 'hotcast' ? swapOnNode() : swapByImport();
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
    samples.push({ swaps, ...(await collectedMemory()), collected });
  }
  const isFlat = (kind: 'heap' | 'rss'): boolean => {
    const half = (late: boolean) => samples.filter(each => each.swaps > SWAPS / 2 === late).map(each => each[kind]);
    return !isFull && median(half(true)) <= median(half(false)) * (1 + FLAT);
  };
  return section(
    `Memory with ${way}: swaps of a 100 KB module that holds 1 MiB (MiB after a full collection)`,
    table(
      'swaps | heap | rss | collected',
      samples.map(each => [count(each.swaps), each.heap / MIB, each.rss / MIB, count(each.collected)]),
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

function swapOnNode(): Swap {
  const server = silentServer();
  return async version => {
    const bundle = withCache(SUBJECT.bundle(version, HELD));
    load(server, bundle, version);
    const current = server.current(bundle.module);
    if (version === 1 && current !== null) server.beginCall(current, 'GET', `/${bundle.module}/`);
    return current?.exports;
  };
}

function swapByImport(): Swap {
  const file = join(mkdtempSync(join(tmpdir(), 'import-')), 'subject.mjs');
  return async version => {
    writeFileSync(file, SUBJECT.esModule(version, HELD));
    return (await import(`${pathToFileURL(file).href}?v=${version}`)) as unknown;
  };
}
