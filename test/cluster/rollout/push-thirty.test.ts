import { describe, expect } from 'vitest';

import { clusterTest } from '../../support/cluster-test.ts';

const it = clusterTest({ nodes: 30 });

describe('push to thirty', () => {
  it('reaches every one of 30 nodes', async ({ cluster }) => {
    const { exitCode, result, revision } = await cluster.push('demo');
    expect(exitCode).toBe(0);
    expect(result.nodes).toMatchObject(cluster.names.map(node => ({ node, status: 'loaded' })));
    expect(new Set(result.nodes.map(({ node }) => node)).size).toBe(30);

    const called = await cluster.call('demo.add(4, 5)');
    expect(called.exitCode).toBe(0);
    expect(called.result.nodes).toMatchObject(cluster.names.map(node => ({ node, json: '9', revision })));
  });
});
