import { connect } from '@nats-io/transport-node';
import { describe, expect } from 'vitest';

import { clusterTest } from '../../support/cluster-test.ts';
import { running } from '../../support/on-heads.ts';

const it = clusterTest({ nodes: 2, tls: true });

describe('a cluster with TLS', () => {
  it('pushes and calls as without', async ({ cluster }) => {
    const { exitCode, revision } = await cluster.push('demo');
    expect(exitCode).toBe(0);
    expect(await running(cluster, 'demo')).toEqual([revision]);
    const { result } = await cluster.call('demo.add(4, 5)');
    expect(result.nodes).toMatchObject(cluster.names.map(node => ({ node, json: '9' })));
  });

  it('lets nobody talk in the clear, and nobody pose as its server', async ({ cluster }) => {
    const options = await cluster.natsOptions();
    const { tls: _, ...clear } = options;
    await expect(connect({ ...clear, tls: null, reconnect: false })).rejects.toThrow(/TLS/i);
    // Who does not have the authority does not believe the certificate.
    await expect(connect({ ...clear, tls: {}, reconnect: false })).rejects.toThrow(/certificate/i);
    await using nats = await connect(options);
    expect(nats.info?.tls_required).toBe(true);
  });
});
