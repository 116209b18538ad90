import { randomBytes } from 'node:crypto';

import { describe, expect } from 'vitest';

import type { Cluster } from '../../support/cluster/cluster.ts';
import { isHealthy } from '../../support/cluster/cluster-state.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';
import { waitForConvergence, waitForReconnection, runningRevisions } from '../../support/cluster/convergence.ts';
import { versionSource } from '../../support/cluster/module-sources.ts';

const it = clusterTest({ nodes: 1, natsDiskMb: 48, controller: { STREAM_MAX_MB: '16', MODULE_MAX_MB: '8' } });

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
      stderr: expect.stringMatching(
        /^hotcast: nothing was sent: the stream is full: 1\d MB of 15 MB .* needs \d\.\d MB more; raise STREAM_MAX_MB: .*\n$/,
      ) as string,
    });
    cluster.writeModule('small', versionSource('fits'));
    expect((await cluster.push('small')).exitCode).toBe(0);
    expect((await cluster.change('rollback', 'large')).exitCode).toBe(0);
    await cluster.addNodes(1);
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'large')).toEqual(revisions.slice(0, 1));
  });
});

describe('the disk of NATS that is full', () => {
  it('is named with what to do, while nodes run on; after the restart of NATS pushes work without another one', async ({
    cluster,
  }) => {
    const before = await processesOf(cluster);
    await cluster.exec('nats', ['sh', '-c', 'dd if=/dev/zero of=/data/ballast bs=4k']);
    const full = /the disk of NATS is full, .*no space left on device.*restart NATS.*: docker compose restart nats\n$/;
    // More than the rest of a page.
    cluster.writeModule('small', versionSource(randomBytes(15e3).toString('hex')));
    // The first write meets the end of the disk; later ones are refused before.
    for (const time of ['first', 'second']) {
      const { exitCode, stderr } = await cluster.hotcast('push', 'small');
      expect({ exitCode, stderr }, time).toEqual({ exitCode: 2, stderr: expect.stringMatching(full) as string });
    }
    expect((await cluster.status()).stderr).toMatch(full);
    await expect.poll(() => isHealthy(cluster)).toBe(false);
    const health = await cluster.exec('nats', ['wget', '-q', '--spider', 'http://127.0.0.1:8222/healthz']);
    expect(health.exitCode).not.toBe(0);

    await cluster.exec('nats', ['rm', '/data/ballast']);
    expect(await cluster.hotcast('push', 'small')).toMatchObject({ exitCode: 2 });
    const restartedAt = Date.now();
    await (await cluster.container('nats')).restart({ t: 2 });
    await waitForReconnection(cluster, restartedAt);
    await expect.poll(() => isHealthy(cluster)).toBe(true);
    expect(await cluster.push('small')).toMatchObject({ exitCode: 0 });
    expect(await processesOf(cluster)).toEqual(before);
  });
});

const processesOf = async (cluster: Cluster) =>
  (await cluster.nodes()).map(row => ('pid' in row ? row.startedAt : null));
