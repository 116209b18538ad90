import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

interface Report {
  readonly heaps: readonly number[];
  readonly collected: number;
  readonly draining: number;
  readonly ended: unknown;
}

describe('10,000 swaps while one stream is held', { timeout: 180_000 }, () => {
  it('keep the memory flat: every version but the first and the current one is collected', () => {
    // As in the image of nodes: with V8's compilation cache, no version would be collected.
    const flags = ['--no-compilation-cache', '--expose-gc', '--import', 'tsx'];
    const script = join(import.meta.dirname, 'swap-under-stream.ts');
    const report = JSON.parse(execFileSync(process.execPath, [...flags, script], { encoding: 'utf8' })) as Report;
    const [early = 0, late = Infinity] = report.heaps;
    expect(late).toBeLessThan(early * 1.2);
    expect(report.collected).toBeGreaterThanOrEqual(9_990);
    expect(report).toMatchObject({ draining: 1, ended: { status: 'value', json: '["begun",0,"ended"]' } });
  });
});
