import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { expect, it } from 'vitest';

it("Node's fetch is loaded, and ours defined, for the first code that names it", { timeout: 60_000 }, () => {
  const script = join(import.meta.dirname, 'lazy-web.ts');
  const printed = execFileSync(process.execPath, ['--import', 'tsx', script], { encoding: 'utf8' });
  expect(JSON.parse(printed)).toEqual([false, false, true, true]);
});
