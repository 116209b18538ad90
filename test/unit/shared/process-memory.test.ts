import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { processMemory } from '../../../shared/process-memory.ts';

const MB = 2 ** 20;

it('counts pages in memory, and those of them that are not of files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hotcast-memory-'));
  const statm = join(folder, 'statm');
  writeFileSync(statm, '287432 20000 12000 11829 0 40000 0\n');
  // Read at another moment, the resident memory is not exactly the same.
  const memory = processMemory(statm, () => 20_100 * 65_536);
  expect(memory.resident()).toBe(20_000 * 65_536);
  expect(memory.private()).toBe(8_000 * 65_536);
  writeFileSync(statm, '287432 30000 12000 11829 0 40000 0\n');
  expect(memory.private()).toBe(18_000 * 65_536);
  rmSync(folder, { recursive: true });
});

it('counts all memory where the kernel does not tell the pages', () => {
  const memory = processMemory('/nowhere/statm', () => 70 * MB);
  expect([memory.resident(), memory.private()]).toEqual([70 * MB, 70 * MB]);
});

it('agrees with Node.js about this process', async () => {
  const memory = processMemory();
  // Other tests of the process can take or leave much memory between the two.
  await expect.poll(() => Math.abs(memory.resident() / process.memoryUsage.rss() - 1)).toBeLessThan(0.1);
});
