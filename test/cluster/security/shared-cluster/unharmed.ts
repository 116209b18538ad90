import { describe, expect } from 'vitest';

import { it } from './cluster.ts';

describe('the cluster', () => {
  it('has converged after all of these tests, and no node has restarted', async ({ cluster }) => {
    expect((await cluster.status()).exitCode).toBe(0);
    for (const node of cluster.nodeNames) {
      const { RestartCount } = await (await cluster.container(node)).inspect();
      expect(RestartCount).toBe(0);
    }
  });
});
