import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { CodeServer } from '../../node-image/src/modules/code-server.ts';
import { withCache } from './cached.ts';
import { GeneratedModule } from './generated.ts';
import { silent } from './silent.ts';

export const SWAPS = 10_000;
const SAMPLE_EVERY = 1_000;

/** As many numbers as are 1 MiB. */
const HELD = 131_072;

/** A process that has grown to this is stopped (bytes). */
const STOP_AT = 1.5 * 1024 ** 3;

export interface MemorySample {
  readonly swaps: number;
  readonly heap: number;
  readonly rss: number;
  /** Versions that the garbage collector has let go. */
  readonly collected: number;
}

/** Loads version after version of a 100 KB module; each holds 1 MiB. */
export async function measureMemory(way: 'hotcast' | 'import'): Promise<MemorySample[]> {
  const generated = new GeneratedModule(100 * 1024);
  const swap = way === 'hotcast' ? swapOnNode(generated) : swapByImport(generated);
  let collected = 0;
  const registry = new FinalizationRegistry<number>(() => (collected += 1));
  const samples: MemorySample[] = [];
  for (let swaps = 1; swaps <= SWAPS; swaps += 1) {
    registry.register(await swap.to(swaps), swaps);
    // Finalizers are called between turns of the event loop.
    await new Promise(setImmediate);
    const full = process.memoryUsage.rss() > STOP_AT;
    if (swaps % SAMPLE_EVERY !== 0 && !full) continue;
    for (let round = 0; round < 3; round += 1) {
      globalThis.gc?.();
      await new Promise(resolve => setTimeout(resolve, 20));
    }
    const { heapUsed: heap, rss } = process.memoryUsage();
    samples.push({ swaps, heap, rss, collected });
    if (full) break;
  }
  swap.end();
  return samples;
}

interface Swap {
  /** Gives something that is there as long as the version is. */
  readonly to: (version: number) => object | Promise<object>;
  readonly end: () => void;
}

function swapOnNode(generated: GeneratedModule): Swap {
  const server = new CodeServer(silent);
  return {
    to: version => {
      const bundle = generated.bundle(version, HELD);
      server.prepare(withCache(bundle));
      const { module, revision } = bundle;
      server.commit([{ module, revision, sequence: version, force: false }]);
      return heldBy(server.current(module)?.exports);
    },
    end: () => undefined,
  };
}

function swapByImport(generated: GeneratedModule): Swap {
  const folder = mkdtempSync(join(tmpdir(), 'import-'));
  const file = join(folder, 'subject.mjs');
  return {
    to: async version => {
      writeFileSync(file, generated.esModule(version, HELD));
      return heldBy((await import(`${pathToFileURL(file).href}?v=${version}`)) as Record<string, unknown>);
    },
    end: () => rmSync(folder, { recursive: true }),
  };
}

function heldBy(exports: Record<string, unknown> | undefined): object {
  const held = exports?.['held'];
  if (!Array.isArray(held) || held.length !== HELD) throw new TypeError('the version was not loaded');
  return held;
}
