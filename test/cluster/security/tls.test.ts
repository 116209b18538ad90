import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { connect } from '@nats-io/transport-node';
import { describe, expect, onTestFinished } from 'vitest';

import { clusterTest } from '../../support/cluster/cluster-test.ts';
import { runningRevisions } from '../../support/cluster/convergence.ts';
import { ROOT, run } from '../../support/shell.ts';

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

  it('takes pushes of an operator on another machine, who has the sources', async ({ cluster }) => {
    const { servers } = await cluster.natsOptions();
    const url = String(servers).replace('nats:', 'tls:');
    const added = await cluster.hotcast('operator', 'add', 'ci', '--may', 'push', '--url', url);
    const home = mkdtempSync(join(tmpdir(), 'hotcast-laptop-'));
    onTestFinished(() => rmSync(home, { recursive: true }));
    const laptop = async (...args: string[]) => run(join(ROOT, 'setup/hotcast'), args, { XDG_CONFIG_HOME: home });
    writeFileSync(join(home, 'ci.json'), added.stdout);
    expect(await laptop('context', 'add', 'test', join(home, 'ci.json'))).toMatchObject({ exitCode: 0 });
    mkdirSync(join(home, 'modules'));
    writeFileSync(join(home, 'modules/afar.ts'), `export const where = (): string => 'far away';\n`);
    const pushed = await laptop('push', 'afar', '--context', 'test', '--project-directory', home);
    expect(pushed).toMatchObject({ exitCode: 0, stderr: '' });
    const { result } = await cluster.call('afar.where()');
    expect(result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, json: '"far away"' })));
    await cluster.hotcast('operator', 'revoke', 'ci');
    expect(await laptop('status', '--context', 'test')).toMatchObject({ exitCode: 2 });
  });
});
