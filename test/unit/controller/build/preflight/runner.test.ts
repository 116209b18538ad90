import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { PreflightError } from '../../../../../controller/src/build/preflight/preflight-error.ts';
import { Preflight } from '../../../../../controller/src/build/preflight/runner.ts';
import { bundleOf } from '../../../fixtures.ts';

const LIMITS = { timeoutMs: 1_000, memoryMb: 64 };

/** A preflight whose process runs this program. */
function preflightOf(program: string, maxMemoryMb?: number): Preflight {
  const folder = mkdtempSync(join(tmpdir(), 'hotcast-preflight-'));
  const script = join(folder, 'main.cjs');
  writeFileSync(script, program);
  const preflight = new Preflight(() => fork(script), LIMITS, maxMemoryMb);
  onTestFinished(() => {
    preflight[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });
  return preflight;
}

it('says at once that a process ended before it was ready', async () => {
  const preflight = preflightOf('process.exit(3);');

  await expect(preflight.run([bundleOf('demo', '')])).rejects.toMatchObject({
    message: 'the preflight did not start; nothing was sent',
    cause: { message: expect.stringMatching(/^its process ended \(\d+\)$/) },
  });
});

/** Passes each module, with the id of its process as a warning. */
const PASSING = `
  process.send('ready');
  process.on('message', ({ token, modules }) => {
    if (modules === undefined) return;
    process.send({ token, result: null });
    for (const { module } of modules) {
      if (module === 'ends') process.exit(1);
      process.send({ token, result: { status: 'passed', warnings: [String(process.pid)], cache: 'AAAA', memoryBytes: 7 } });
    }
  });
`;

describe('a large set', () => {
  const modules = Array.from({ length: 20 }, (_, index) => `m${index}`);
  /** The ids of the processes by module, and how many there were. */
  async function processesOf(maxMemoryMb: number, codeOf = (module: string): string => `exports.f = '${module}';`) {
    const passed = await preflightOf(PASSING, maxMemoryMb).run(modules.map(module => bundleOf(module, codeOf(module))));
    if (passed instanceof PreflightError) throw passed;
    expect(passed.bundles.map(({ module, memoryBytes }) => [module, memoryBytes])).toEqual(
      modules.map(each => [each, 7]),
    );
    const ids = new Map(passed.warnings.map(warning => warning.split(': ') as [string, string]));
    return { ids, count: new Set(ids.values()).size };
  }

  it('gets another process after one has taken much memory', async () => {
    expect((await processesOf(Infinity)).count).toBe(1);
    expect((await processesOf(0)).count).toBe(3);
  });

  it('has modules that import each other in one process', async () => {
    const importing = (module: string): string =>
      module === 'm0' ? `require("hot:m19");` : `exports.f = '${module}';`;
    const { ids, count } = await processesOf(0, importing);
    expect(ids.get('m0')).toBe(ids.get('m19'));
    expect(count).toBe(3);
  });

  it('is refused when the process of a part of it ends', async () => {
    const bundles = [...modules, 'ends'].map(module => bundleOf(module, ''));
    expect(await preflightOf(PASSING).run(bundles)).toMatchObject({ reason: 'crash' });
  });
});

it('gives a module a code cache if it has much code', async () => {
  const modules = [bundleOf('small', ' '.repeat(4_095)), bundleOf('large', ' '.repeat(4_096))];
  const passed = await preflightOf(PASSING).run(modules);
  if (passed instanceof PreflightError) throw passed;
  expect(passed.bundles.map(({ cache }) => cache?.data.length)).toEqual([undefined, 3]);
});

it('has loaded the packages of the last two runs that used some before the next run', async () => {
  const PRELOADING = PASSING.replace(
    'if (modules === undefined) return;',
    'if (preload) files = preload.imports.map(({ file }) => file);\nif (preload) return;',
  )
    .replace('({ token, modules })', '({ token, modules, preload })')
    .replace('String(process.pid)', 'files.join()');
  const preflight = preflightOf(`let files = [];${PRELOADING}`);
  const loadedBefore = async (...files: readonly string[]) => {
    const imports = files.map(file => ({ specifier: `npm:${file}`, file, instance: file }));
    const packages = new Map([['demo', { imports, leftOut: [], externals: [] }]]);
    const passed = await preflight.run([bundleOf('demo', '')], packages);
    return passed instanceof PreflightError ? [] : passed.warnings;
  };
  expect(await loadedBefore('a')).toEqual(['demo: ']);
  expect(await loadedBefore('b')).toEqual(['demo: a']);
  expect(await loadedBefore()).toEqual(['demo: a,b']);
  expect(await loadedBefore('a')).toEqual(['demo: a,b']);
  expect(await loadedBefore('c')).toEqual(['demo: b,a']);
  expect(await loadedBefore('c')).toEqual(['demo: a,c']);
});
