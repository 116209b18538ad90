import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { describe, expect } from 'vitest';

import type { Cluster } from '../support/cluster/cluster.ts';
import { clusterTest } from '../support/cluster/cluster-test.ts';
import { waitForConvergence } from '../support/cluster/convergence.ts';
import { MODULES, selectedCases } from './selected-cases.ts';

// Not a matter of these tests: how long a busy machine takes to load a large package.
const it = clusterTest({ nodes: 2, modules: MODULES, controller: { PREFLIGHT_TIMEOUT_MS: '20000' } });

const cases = selectedCases(process.env['ONLY'] ?? '');
const working = cases.flatMap(({ module, does, outcome }) =>
  'value' in outcome ? [[module, does, JSON.parse(JSON.stringify(outcome.value)) as unknown] as const] : [],
);
const refused = cases.flatMap(({ module, outcome }) =>
  outcome.status === 'refused' ? [[module, outcome.reason] as const] : [],
);
const failing = cases.flatMap(({ module, outcome }) =>
  outcome.status === 'does not work yet' ? [[module, outcome.error] as const] : [],
);

describe('a module with npm packages', () => {
  it.for(working)('works, also after each of two swaps: %s, %s', async ([module, , value], { cluster }) => {
    for (const edit of [0, 1, 2]) {
      cluster.writeModule(module, source(module, edit));
      const { exitCode, stdout, stderr } = await cluster.hotcast('push', module);
      expect(exitCode, stdout + stderr).toBe(0);
      expect(await valuesOf(cluster, `${module}.check()`)).toEqual([value, value]);
      expect(await valuesOf(cluster, `${module}.edit()`)).toEqual([edit, edit]);
    }
  });

  it.for(refused)('is refused before anything is sent: %s, %s', async ([module, reason], { cluster }) => {
    const { exitCode, stdout, stderr } = await cluster.hotcast('push', module);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(reason);
    expect(stderr).toContain('nothing was sent');
  });

  it.for(failing)('does not work yet: %s, %s', async ([module, error], { cluster }) => {
    const { exitCode, stdout, stderr } = await cluster.hotcast('push', module);
    const values = exitCode === 0 ? await valuesOf(cluster, `${module}.check()`) : [];
    expect(`${stdout}${stderr}${JSON.stringify(values)}`).toContain(error);
  });

  it('works after a restart of its node, beside all others', { timeout: 300_000 }, async ({ cluster }) => {
    const node = cluster.nodeNames[1] ?? '';
    await (await cluster.container(node)).stop();
    await cluster.startContainer(node);
    await cluster.nodes('--wait', '2', '--timeout', '60');
    await waitForConvergence(cluster);
    const wrong: unknown[] = [];
    for (const [module, , value] of working) {
      const values = await valuesOf(cluster, `${module}.check()`);
      if (!isDeepStrictEqual(values, [value, value])) wrong.push({ module, values });
    }
    expect(wrong).toEqual([]);
  });
});

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
