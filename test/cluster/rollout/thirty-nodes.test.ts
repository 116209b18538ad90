import { describe, expect } from 'vitest';

import { clusterTest } from '../../support/cluster/cluster-test.ts';

const it = clusterTest({ nodes: 30 });

describe('thirty nodes', () => {
  it('all load a pushed module', async ({ cluster }) => {
    const { exitCode, result, revision } = await cluster.push('demo', '--timeout', '30');
    expect(exitCode).toBe(0);
    expect(result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, status: 'loaded' })));
    expect(new Set(result.nodes.map(({ node }) => node)).size).toBe(30);

    const called = await cluster.call('demo.add(4, 5)');
    expect(called.exitCode).toBe(0);
    expect(called.result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, json: '9', revision })));
  });
});
