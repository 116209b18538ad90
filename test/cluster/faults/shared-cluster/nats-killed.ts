import { describe, expect } from 'vitest';

import type { Cluster } from '../../../support/cluster/cluster.ts';
import { duringPush } from '../../../support/cluster/during-push.ts';
import { waitForConvergence, waitForReconnection, runningRevisions } from '../../../support/cluster/convergence.ts';
import { versionSource } from '../../../support/cluster/module-sources.ts';
import { openStream } from '../../../support/cluster/open-stream.ts';
import { it } from './cluster.ts';

/** All records of a module in the stream. */
async function recordsOf(cluster: Cluster, module: string) {
  await using stream = await openStream(cluster);
  const { store } = stream;
  const [heads, outcomes, bundles] = await Promise.all([
    store.history(module),
    store.headResultHistory(module),
    store.bundles(module),
  ]);
  return { heads, outcomes, bundles: bundles.map(({ revision }) => revision).toSorted() };
}

/** Kills NATS, starts it, and waits until the controller and all nodes are connected again. */
async function restartNats(cluster: Cluster): Promise<void> {
  const killedAt = Date.now();
  await cluster.kill('nats');
  await (await cluster.container('nats')).start();
  await waitForReconnection(cluster, killedAt);
}

/** The processes of all nodes. */
async function processes(cluster: Cluster): Promise<unknown[]> {
  return (await cluster.nodes()).map(row => (row.status === 'silent' ? row : [row.node, row.pid, row.startedAt]));
}

describe('NATS', () => {
  it('that is killed and started again loses no head, no history and no bundle', async ({ cluster }) => {
    for (const name of ['one', 'two']) {
      cluster.writeModule('kept', versionSource(name));
      await cluster.push('kept');
    }
    const [records, before] = [await recordsOf(cluster, 'kept'), await processes(cluster)];
    expect(records).toMatchObject({ heads: { length: 2 }, outcomes: { length: 2 }, bundles: { length: 2 } });

    await restartNats(cluster);
    expect(await recordsOf(cluster, 'kept')).toEqual(records);
    await waitForConvergence(cluster);
    expect(await processes(cluster)).toEqual(before);
    await cluster.addNodes(1);
    const newNode = cluster.nodeNames.at(-1) ?? '';
    const called = await cluster.call('kept.version()', '--node', newNode);
    expect(called.result.nodes).toMatchObject([{ node: newNode, json: '"two"' }]);
    expect((await cluster.change('rollback', 'kept')).exitCode).toBe(0);
  });

  it('that is killed during a push leaves all nodes on the old revision, or all on the new one', async ({
    cluster,
  }) => {
    cluster.writeModule('midway', versionSource('one'));
    const one = await cluster.push('midway');
    cluster.writeModule('midway', versionSource('two'));
    const killedAt = Date.now();
    const { exitCode } = await duringPush(
      cluster,
      { pausedNode: 'fred', others: cluster.nodeNames.length - 1 },
      () => cluster.hotcast('push', 'midway', '--timeout', '4'),
      async () => {
        await cluster.kill('nats');
        await (await cluster.container('nats')).start();
      },
    );
    await waitForReconnection(cluster, killedAt);
    await waitForConvergence(cluster);
    const [newest, ...older] = await cluster.history('midway');
    const isCommitted = newest?.revision !== one.revision;
    expect(older.map(({ revision }) => revision)).toEqual(isCommitted ? [one.revision] : []);
    if (exitCode === 0 || exitCode === 3) expect(isCommitted).toBe(true);
    expect(await runningRevisions(cluster, 'midway')).toEqual([newest?.revision]);

    cluster.writeModule('midway', versionSource('three'));
    expect((await cluster.push('midway')).exitCode).toBe(0);
  });

  it('that is down for longer than the timeout of a push makes the push fail, and every node converges', async ({
    cluster,
  }) => {
    cluster.writeModule('delayed', versionSource('one'));
    await cluster.push('delayed');
    cluster.writeModule('delayed', versionSource('two'));
    const killedAt = Date.now();
    const ended = await duringPush(
      cluster,
      { pausedNode: 'fred', others: cluster.nodeNames.length - 1 },
      () => cluster.hotcast('push', 'delayed', '--timeout', '10'),
      () => cluster.kill('nats'),
    );
    expect(ended).toMatchObject({ exitCode: 5, stdout: '' });
    const [, change = ''] = /not known; see later: hotcast result (\S+)\n$/.exec(ended.stderr) ?? [];
    await (await cluster.container('nats')).start();
    await waitForReconnection(cluster, killedAt);
    await waitForConvergence(cluster);
    const [newest] = await cluster.history('delayed');
    expect(await runningRevisions(cluster, 'delayed')).toEqual([newest?.revision]);
    // The controller writes down what came of a head when it has heard of all nodes again.
    await expect
      .poll(() => cluster.hotcast('result', change), { timeout: 60_000 })
      .toMatchObject(
        newest?.push === change
          ? { stdout: expect.stringMatching(/^delayed@\w+ committed/) as string }
          : { exitCode: 2, stdout: `change ${change} wrote nothing; no node has changed\n` },
      );
    expect((await cluster.push('delayed')).exitCode).toBe(0);
  });

  it('that lost its data changes no node, status shows drift, and a new push works', async ({ cluster }) => {
    cluster.writeModule('orphan', versionSource('one'));
    const one = await cluster.push('orphan');
    const before = await processes(cluster);
    const wiped = await cluster.exec('nats', ['sh', '-c', 'rm -rf /data/*']);
    expect(wiped.exitCode).toBe(0);
    await restartNats(cluster);

    // The controller creates the stream again.
    await expect.poll(() => cluster.status(), { timeout: 60_000 }).toMatchObject({ result: { heads: [] } });
    const { exitCode, result } = await cluster.status();
    expect(exitCode).toBe(1);
    expect(result.nodes.filter(({ module }) => module === 'orphan')).toEqual(
      cluster.nodeNames.map(node => ({
        module: 'orphan',
        node,
        desired: null,
        running: one.revision,
        canary: false,
        state: 'behind',
        errors: 0,
        draining: [],
      })),
    );
    const called = await cluster.call('orphan.version()');
    expect(called.result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, json: '"one"' })));
    expect(await processes(cluster)).toEqual(before);

    // The running revision and a new one can be pushed.
    for (const name of ['one', 'two']) {
      cluster.writeModule('orphan', versionSource(name));
      const pushed = await cluster.push('orphan');
      expect({ exitCode: pushed.exitCode, outcome: pushed.result.outcome }).toEqual({
        exitCode: 0,
        outcome: 'committed',
      });
      expect(await runningRevisions(cluster, 'orphan')).toEqual([pushed.revision]);
    }
    expect(await cluster.history('orphan')).toHaveLength(2);
    expect(await processes(cluster)).toEqual(before);
  });
});
