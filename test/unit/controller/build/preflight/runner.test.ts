import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { Preflight } from '../../../../../controller/src/build/preflight/runner.ts';

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
