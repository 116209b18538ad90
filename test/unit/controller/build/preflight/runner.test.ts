import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { Preflight } from '../../../../../controller/src/build/preflight/runner.ts';
import { bundleOf } from '../../../fixtures.ts';

const LIMITS = { timeoutMs: 1_000, memoryMb: 64 };

/** A preflight whose process runs this program. */
function preflightOf(program: string): Preflight {
  const folder = mkdtempSync(join(tmpdir(), 'hotcast-preflight-'));
  const script = join(folder, 'main.cjs');
  writeFileSync(script, program);
  const preflight = new Preflight(script, [], LIMITS);
  onTestFinished(() => {
    preflight[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });
  return preflight;
}

it('says at once that a process ended before it was ready', async () => {
  const preflight = preflightOf('process.exit(3);');

  await expect(preflight.run([])).rejects.toMatchObject({
    message: 'the preflight did not start; nothing was sent',
    cause: { message: expect.stringMatching(/^its process ended \(\d+\)$/) },
  });
});

/** Node.js 20 has no `--permission`, with which the process starts. */
const canRun = process.allowedNodeEnvironmentFlags.has('--permission');

it.runIf(canRun)('gives each module of a set the whole time', async () => {
  const preflight = preflightOf(`
    process.once('message', ({ token, modules }) => {
      const passed = { status: 'passed', warnings: [], cache: null, memoryBytes: 0 };
      const answerNext = () => {
        if (modules.pop() === undefined) return;
        process.send({ token, result: passed });
        setTimeout(answerNext, ${0.6 * LIMITS.timeoutMs});
      };
      setTimeout(answerNext, ${0.6 * LIMITS.timeoutMs});
    });
    process.send('ready');
  `);
  const bundles = ['demo', 'counter'].map(module => bundleOf(module, 'exports.f = 1;'));
  expect(await preflight.run(bundles)).toMatchObject({ bundles: [{ module: 'demo' }, { module: 'counter' }] });
});
