import { randomBytes } from 'node:crypto';

import { describe, expect } from 'vitest';

import { clusterTest } from '../../support/cluster-test.ts';
import { onHeads, running } from '../../support/on-heads.ts';

const it = clusterTest({ nodes: 1, controller: { STREAM_MAY_HOLD: '16' } });

/** A module of some 6 MB, packed: its code, and the map to its source. */
const large = (): string => `export const text = () => '${randomBytes(3e6).toString('base64')}'.length;\n`;

describe('a stream that is full', () => {
  it('takes no further bundle and drops none, and still goes back', async ({ cluster }) => {
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
      stderr: expect.stringMatching(
        /^hotcast: there is no room for it in the stream; nothing was sent .*\n$/,
      ) as string,
    });
    expect((await cluster.change('rollback', 'large')).exitCode).toBe(0);
    await cluster.addNodes(1);
    await onHeads(cluster);
    expect(await running(cluster, 'large')).toEqual(revisions.slice(0, 1));
  });
});
