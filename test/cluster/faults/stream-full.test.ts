import { randomBytes } from 'node:crypto';

import { describe, expect } from 'vitest';

import { clusterTest } from '../../support/cluster/cluster-test.ts';
import { waitForConvergence, runningRevisions } from '../../support/cluster/convergence.ts';

const it = clusterTest({ nodes: 1, controller: { STREAM_MAX_MB: '16' } });

/** A module of about 6 MB as a bundle: its code and its source map. */
const large = (): string => `export const text = () => '${randomBytes(3e6).toString('base64')}'.length;\n`;

describe('a stream that is full', () => {
  it('accepts no further bundle, deletes none, and still allows a rollback', async ({ cluster }) => {
    const revisions: string[] = [];
    for (const time of ['first', 'second']) {
      cluster.writeModule('large', large());
      const { exitCode, revision } = await cluster.push('large');
      expect(exitCode, time).toBe(0);
      revisions.push(revision);
    }
    cluster.writeModule('large', large());
    expect(await cluster.hotcast('push', 'large')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^hotcast: the stream has no room for it; nothing was sent .*\n$/) as string,
    });
    expect((await cluster.change('rollback', 'large')).exitCode).toBe(0);
    await cluster.addNodes(1);
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'large')).toEqual(revisions.slice(0, 1));
  });
});
