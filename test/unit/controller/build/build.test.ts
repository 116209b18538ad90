import { once } from 'node:events';
import { symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import { afterEach, describe, expect, it } from 'vitest';

import { createBuild } from '../../../../controller/src/build/build.ts';
import { compile } from '../../../../controller/src/build/compile.ts';
import { SourceFiles } from '../../../../controller/src/build/sources/source-files.ts';
import { TypeCheck } from '../../../../controller/src/build/type-check.ts';
import { type Bundle, unpackMap } from '../../../../protocol/bundle.ts';
import { ROOT } from '../../../support/shell.ts';
import { bundleOf } from '../../fixtures.ts';
import { projects } from '../../projects.ts';

const project = projects();
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

/**
 * Saves two files that belong together, again and again, each in two writes. Each save has the next odd number: esbuild writes
 * 1000 as 1e3. `written` gets the time of each write, and the longest pause before one (milliseconds).
 */
const WRITER = `
  const { closeSync, openSync, writeSync } = require('node:fs');
  const { parentPort, workerData } = require('node:worker_threads');
  const { saved, written } = workerData;
  const wait = ms => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  const write = (file, text) => {
    writeSync(file, text);
    const now = Date.now();
    written[1] = Math.max(written[1], now - written[0]);
    written[0] = now;
  };
  const save = (path, text) => {
    const file = openSync(path, 'w');
    write(file, text.slice(0, text.length / 2));
    wait(0.2);
    write(file, text.slice(text.length / 2));
    closeSync(file);
  };
  const saveAll = number => {
    for (const [path, text] of saved) save(path, text.replaceAll('NUMBER', number));
  };
  saveAll(1001);
  parentPort.postMessage('ready');
  for (let number = 1003; ; number += 2) {
    saveAll(number);
    wait((number >> 1) % 8);
  }
`;

/** Writes of one save have shorter pauses on a machine that is not busy (milliseconds). */
const PAUSE_MS = 50;

const HELPER = `export const number = NUMBER;\nexport const text = 'NUMBER';\n`;

/** A mix of two saves has a type error, and no error that esbuild finds. */
const DEMO = `
import { number, text } from '../lib/helper';
export const numbers: readonly [NUMBER, NUMBER, 'NUMBER'] = [number, NUMBER, text];
`;

function builder(files: Record<string, string>) {
  const modulesDir = project(files);
  const root = dirname(modulesDir);
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  const sources = new SourceFiles(modulesDir);
  const typeCheck = new TypeCheck(modulesDir, root, sources);
  cleanups.push(() => typeCheck[Symbol.asyncDispose]());
  /** The modules that the preflight has evaluated. */
  const evaluated: string[] = [];
  const build = createBuild({
    sources,
    compile: (module, snapshot) => compile(modulesDir, module, snapshot),
    typeCheck,
    preflight: {
      run: async bundles => {
        evaluated.push(...bundles.map(({ module }) => module));
        return { bundles, warnings: [] };
      },
    },
    maxPayload: () => Infinity,
  });
  return { build, root, modulesDir, evaluated };
}

/** The numbers in texts. */
const numbersIn = (...texts: string[]): string[] => [...new Set(texts.join('\n').match(/\b\d{4,}\b/g))].toSorted();

/** The numbers in the code of a bundle, and in the sources of its map. */
function numbersOf({ code, map }: Bundle): string[][] {
  const { sourcesContent } = JSON.parse(unpackMap(map)) as { sourcesContent: string[] };
  return [numbersIn(code), numbersIn(...sourcesContent)];
}

it.each([
  ['with a type check', true],
  ['without a type check', false],
])(
  'builds from the sources of one moment while they are saved every few milliseconds, %s',
  { timeout: 120_000 },
  async (_, check) => {
    const { build, modulesDir, root } = builder({ 'modules/other.ts': '', 'lib/helper.ts': '' });
    const saved = [
      [join(root, 'lib/helper.ts'), HELPER],
      [join(modulesDir, 'demo.ts'), DEMO],
    ];
    const written = new Float64Array(new SharedArrayBuffer(16)).fill(Date.now(), 0, 1);
    const writer = new Worker(WRITER, { eval: true, workerData: { saved, written } });
    cleanups.push(() => writer.terminate());
    await once(writer, 'message');
    /** Builds while files are saved. A busy machine can stop the writer within a save: what it has written is the file then. */
    const buildDuringSaves = async (): Promise<Bundle> => {
      written[1] = 0;
      try {
        const [{ bundle } = expect.fail('no bundle')] = await build(['demo'], check, () => undefined);
        return bundle;
      } catch (error) {
        const [writtenAt = 0, longestPauseMs = 0] = written;
        if (Math.max(longestPauseMs, Date.now() - writtenAt) < PAUSE_MS) throw error;
        return buildDuringSaves();
      }
    };
    for (let built = 0; built < 10; built += 1) {
      const bundle = await buildDuringSaves();
      const [inCode, inSources] = numbersOf(bundle);
      expect(inSources).toEqual(inCode);
      // Only types tell that the files do not belong together.
      if (check) expect(inCode).toHaveLength(1);
    }
  },
);

it('builds a module that has just been saved once', async () => {
  const { build, evaluated, modulesDir } = builder({ 'modules/demo.ts': 'export const f = () => 1;\n' });
  // The compiler starts.
  await build(['demo'], false, () => undefined);
  writeFileSync(join(modulesDir, 'demo.ts'), 'export const f = () => 2;\n');
  const [{ bundle } = expect.fail('no bundle')] = await build(['demo'], false, () => undefined);
  expect(bundle.code).toContain('2');
  expect(evaluated).toEqual(['demo', 'demo']);
});

describe('a large set', () => {
  /** Builds so many modules; says how many were compiled at the same time, and how many in all. */
  async function buildMany(modules: readonly string[], bad: string | null = null) {
    const seen = { atOnce: 0, all: 0 };
    const steps: string[] = [];
    let running = 0;
    const given = project({});
    const build = createBuild({
      sources: new SourceFiles(given),
      compile: async module => {
        running += 1;
        seen.all += 1;
        seen.atOnce = Math.max(seen.atOnce, running);
        await turn();
        running -= 1;
        if (module === bad) throw new Error('no');
        return {
          bundle: bundleOf(module, `exports.f = '${module}';`),
          packages: null,
          groups: null,
          files: [],
          sources: {},
          warnings: [],
        };
      },
      typeCheck: {
        check: async files => {
          await files;
          await turn();
          steps.push('types');
          return [];
        },
      },
      preflight: {
        run: async bundles => {
          steps.push('preflight');
          return { bundles, warnings: [] };
        },
      },
      maxPayload: () => Infinity,
    });
    const built = await build(modules, true, () => undefined).catch(() => null);
    return { ...seen, steps, built: built?.map(({ bundle }) => bundle.module) ?? null };
  }
  const modules = Array.from({ length: 1_000 }, (_, index) => `m${index}`);

  it('is compiled in its order, few modules at the same time', async () => {
    expect(await buildMany(modules)).toMatchObject({ atOnce: 16, all: 1_000, built: modules });
  });

  it('is evaluated after its types were checked, and a small one meanwhile', async () => {
    expect((await buildMany(modules.slice(0, 9))).steps).toEqual(['types', 'preflight']);
    expect((await buildMany(modules.slice(0, 8))).steps).toEqual(['preflight', 'types']);
  });

  it('is not compiled further after an error', async () => {
    const { all, built } = await buildMany(modules, 'm20');
    expect(built).toBeNull();
    expect(all).toBeLessThan(60);
  });
});

it('reports its stages, and what the compiler warns of', async () => {
  const { build } = builder({ 'modules/demo.ts': 'export const f = (x: number) => x === NaN;\n' });
  const said: string[] = [];
  const stages: string[] = [];
  await build(['demo'], false, report => {
    if (report.type === 'warning') said.push(report.message);
    if (report.type === 'progress') stages.push(`${report.phase} ${report.answered}/${report.expected}`);
  });
  expect(stages.slice(-4)).toEqual(['compile 0/1', 'compile 1/1', 'check 0/1', 'check 1/1']);
  expect(said.map(message => message.split('\n')[0])).toEqual([
    'modules/demo.ts:1:35: Comparison with NaN using the "===" operator here is always false',
  ]);
});
