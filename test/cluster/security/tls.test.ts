import { connect } from '@nats-io/transport-node';
import { describe, expect } from 'vitest';

import { clusterTest } from '../../support/cluster/cluster-test.ts';
import { runningRevisions } from '../../support/cluster/convergence.ts';

const it = clusterTest({ nodes: 2, tls: true });

describe('a cluster with TLS', () => {
  it('pushes and calls as without TLS', async ({ cluster }) => {
    const { exitCode, revision } = await cluster.push('demo');
    expect(exitCode).toBe(0);
    expect(await runningRevisions(cluster, 'demo')).toEqual([revision]);
    const { result } = await cluster.call('demo.add(4, 5)');
    expect(result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, json: '9' })));
  });

  it('refuses connections without TLS, and clients refuse an unknown certificate', async ({ cluster }) => {
    const options = await cluster.natsOptions();
    const { tls: _, ...withoutTls } = options;
    await expect(connect({ ...withoutTls, tls: null, reconnect: false })).rejects.toThrow(/TLS/i);
    // A client that does not know the certificate authority refuses the certificate.
    await expect(connect({ ...withoutTls, tls: {}, reconnect: false })).rejects.toThrow(/certificate/i);
    await using nats = await connect(options);
    expect(nats.info?.tls_required).toBe(true);
  });
});
