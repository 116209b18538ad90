import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

interface Report {
  readonly heaps: readonly number[];
  readonly collected: number;
  readonly files: number;
  readonly listeners: number;
}

describe('200 loads and drops of package sets', { timeout: 120_000 }, () => {
  it('leave no package in memory, no file on disk and no listener', () => {
    // As in the image of nodes: with V8's compilation cache, no package would be collected.
    const flags = ['--no-compilation-cache', '--expose-gc', '--import', 'tsx'];
    const script = join(import.meta.dirname, 'load-and-drop-packages.ts');
    const report = JSON.parse(execFileSync(process.execPath, [...flags, script], { encoding: 'utf8' })) as Report;
    const [early = 0, late = Infinity] = report.heaps;
    expect(late).toBeLessThan(early * 1.05);
    expect(report).toMatchObject({ collected: 400, files: 0, listeners: 0 });
  });
});
