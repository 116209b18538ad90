import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { afterAll, describe, expect } from 'vitest';

import type { Cluster } from '../support/cluster/cluster.ts';
import { clusterTest } from '../support/cluster/cluster-test.ts';
import { type TestResult, writeResults } from './results.ts';
import { MODULES, selectedCases } from './selected-cases.ts';

// Not a matter of these tests: how long a busy machine takes to load a large package.
const it = clusterTest({ nodes: 2, modules: MODULES, controller: { PREFLIGHT_TIMEOUT_MS: '20000' } });

/** The memory of the controller's container. */
const CONTROLLER_BYTES = 2 ** 30;

const cases = selectedCases(process.env['ONLY'] ?? '');
const working = cases.flatMap(({ module, does, outcome }) =>
  'value' in outcome ? [[module, does, JSON.parse(JSON.stringify(outcome.value)) as unknown] as const] : [],
);
const refused = cases.flatMap(({ module, outcome }) =>
  outcome.status === 'refused' ? [[module, outcome.reason] as const] : [],
);

/** What the tests of each module have shown. They are written when all tests have run. */
const results = new Map<string, TestResult['result']>();
let isRestarted = false;
afterAll(() => {
  if (isRestarted && results.size === cases.length) writeResults(results);
});

describe('a module with npm packages', () => {
  // The controller has just started: it has built nothing, and nodes have no packages.
  it('is built, sent and loaded in one push with all others', { timeout: 600_000 }, async ({ cluster }) => {
    for (const [module] of working) cluster.writeModule(module, source(module, 0));
    const modules = working.map(([module]) => module);
    const { exitCode, stdout, stderr } = await cluster.hotcast('push', ...modules, '--timeout', '300');
    expect(exitCode, stdout + stderr).toBe(0);
    expect(await outOfMemoryKills(cluster, 'controller')).toBe(0);
  });

  it.for(working)('works, also after each of two swaps: %s, %s', async ([module, , value], { cluster }) => {
    results.set(module, 'fails');
    expect(await valuesOf(cluster, `${module}.check()`)).toEqual([value, value]);
    for (const edit of [1, 2]) {
      cluster.writeModule(module, source(module, edit));
      const { exitCode, stdout, stderr } = await cluster.hotcast('push', module);
      expect(exitCode, stdout + stderr).toBe(0);
      expect(await valuesOf(cluster, `${module}.check()`)).toEqual([value, value]);
      expect(await valuesOf(cluster, `${module}.edit()`)).toEqual([edit, edit]);
    }
    results.set(module, 'works');
  });

  it.for(refused)('is refused before anything is sent: %s, %s', async ([module, reason], { cluster }) => {
    results.set(module, 'fails');
    const { exitCode, stdout, stderr } = await cluster.hotcast('push', module);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(reason);
    expect(stderr).toContain('nothing was sent');
    results.set(module, 'refused');
  });

  it('is built within the memory of the controller, beside all others, and no process of it ends', async ({
    cluster,
  }) => {
    const ends = (await cluster.logsOf('controller')).filter(({ msg }) => msg.includes('it is started again'));
    expect(ends).toEqual([]);
    expect(await outOfMemoryKills(cluster, 'controller')).toBe(0);
    const peak = await peakMemory(cluster, 'controller');
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(0.9 * CONTROLLER_BYTES);
  });

  it('works after a restart of its node, beside all others', { timeout: 300_000 }, async ({ cluster }) => {
    const node = cluster.nodeNames[1] ?? '';
    await (await cluster.container(node)).stop();
    await (await cluster.container(node)).start();
    // It fetches the packages of all modules.
    const loaded = async () =>
      (await cluster.status()).result.nodes.filter(row => row.node === node && row.state === 'ok').length;
    await expect.poll(loaded, { timeout: 200_000, interval: 1_000 }).toBe(working.length);
    const wrong: unknown[] = [];
    for (const [module, , value] of working) {
      const values = await valuesOf(cluster, `${module}.check()`);
      if (isDeepStrictEqual(values, [value, value])) continue;
      wrong.push({ module, values });
      results.set(module, 'fails');
    }
    isRestarted = true;
    expect(wrong).toEqual([]);
  });
});

/** The most memory that a container has had, in bytes; with cgroups of version 1 or 2. */
async function peakMemory(cluster: Cluster, name: string): Promise<number> {
  const files = ['memory/memory.max_usage_in_bytes', 'memory.peak'].map(file => `/sys/fs/cgroup/${file}`);
  const { stdout } = await cluster.exec(name, ['sh', '-c', `cat ${files.join(' ')} 2>/dev/null || true`]);
  return Number(stdout);
}

/** How many processes of a container the kernel has killed because of its memory limit; with cgroups of version 1 or 2. */
async function outOfMemoryKills(cluster: Cluster, name: string): Promise<number> {
  const files = ['memory/memory.oom_control', 'memory.events'].map(file => `/sys/fs/cgroup/${file}`);
  const { stdout } = await cluster.exec(name, ['sh', '-c', `cat ${files.join(' ')} 2>/dev/null || true`]);
  return Number(/^oom_kill (\d+)$/m.exec(stdout)?.[1]);
}

/** The source of a module, with a function that tells one edit from another. */
function source(module: string, edit: number): string {
  return `${readFileSync(join(MODULES, `${module}.ts`), 'utf8')}\nexport const edit = () => ${edit};\n`;
}

/** What a call returns on each node: its value, or its error. */
async function valuesOf(cluster: Cluster, call: string): Promise<unknown[]> {
  const { result } = await cluster.call(call, '--timeout', '20');
  return result.nodes.map(answer =>
    answer.status === 'value' && answer.json !== undefined ? (JSON.parse(answer.json) as unknown) : answer,
  );
}
