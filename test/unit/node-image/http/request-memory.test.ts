import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

describe('requests', { timeout: 60_000 }, () => {
  it('leave nothing for a full collection', () => {
    // As in the image of nodes.
    const flags = ['--no-compilation-cache', '--no-allocation-site-pretenuring', '--expose-gc', '--import', 'tsx'];
    const script = join(import.meta.dirname, 'serve-many.ts');
    const bytes = Number(execFileSync(process.execPath, [...flags, script], { encoding: 'utf8' }));
    expect(bytes).toBeLessThan(1_000);
  });
});
