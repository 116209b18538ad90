import { describe, expect } from 'vitest';

import type { Cluster } from '../../support/cluster.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { inTheMiddle } from '../../support/middle.ts';
import { onHeads, running } from '../../support/on-heads.ts';
import { version } from '../../support/sources.ts';
import { openStream } from '../../support/stream.ts';

const it = clusterTest({ nodes: 3 });

/** Everything that the stream has of a module. */
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

/** Ends NATS with SIGKILL, starts it, and waits until every node has reached it again. */
async function restartNats(cluster: Cluster): Promise<void> {
  const killedAt = Date.now();
  await cluster.kill('nats');
  await (await cluster.container('nats')).start();
  await Promise.all(
    ['controller', ...cluster.names].map(name =>
      cluster.logged(name, ({ msg }) => msg === 'reconnected to NATS', killedAt),
    ),
  );
}

/** The processes of all nodes. */
async function processes(cluster: Cluster): Promise<unknown[]> {
  return (await cluster.nodes()).map(row => (row.status === 'silent' ? row : [row.node, row.pid, row.startedAt]));
}

describe('NATS', () => {
  it('killed and started again loses no head, no history and no bundle', async ({ cluster }) => {
    for (const name of ['one', 'two']) {
      cluster.writeModule('kept', version(name));
      await cluster.push('kept');
    }
    const [records, before] = [await recordsOf(cluster, 'kept'), await processes(cluster)];
    expect(records).toMatchObject({ heads: { length: 2 }, outcomes: { length: 2 }, bundles: { length: 2 } });

    await restartNats(cluster);
    expect(await recordsOf(cluster, 'kept')).toEqual(records);
    await onHeads(cluster);
    expect(await processes(cluster)).toEqual(before);
    await cluster.addNodes(1);
    const called = await cluster.call('kept.version()', '--node', 'wilma');
    expect(called.result.nodes).toMatchObject([{ node: 'wilma', json: '"two"' }]);
    expect((await cluster.change('rollback', 'kept')).exitCode).toBe(0);
  });

  it('killed in the middle of a push leaves every node on the old revision, or on the new one', async ({ cluster }) => {
    cluster.writeModule('midway', version('one'));
    const one = await cluster.push('midway');
    cluster.writeModule('midway', version('two'));
    const killedAt = Date.now();
    const { exitCode } = await inTheMiddle(
      cluster,
      { holder: 'fred', others: cluster.names.length - 1 },
      () => cluster.hotcast('push', 'midway', '--timeout', '4'),
      async () => {
        await cluster.kill('nats');
        await (await cluster.container('nats')).start();
      },
    );
    for (const name of cluster.names) {
      await cluster.logged(name, ({ msg }) => msg === 'reconnected to NATS', killedAt);
    }
    await onHeads(cluster);
    const [newest, ...older] = await cluster.history('midway');
    const isCommitted = newest?.revision !== one.revision;
    expect(older.map(({ revision }) => revision)).toEqual(isCommitted ? [one.revision] : []);
    if (exitCode === 0 || exitCode === 3) expect(isCommitted).toBe(true);
    expect(await running(cluster, 'midway')).toEqual([newest?.revision]);

    cluster.writeModule('midway', version('three'));
    expect((await cluster.push('midway')).exitCode).toBe(0);
  });

  it('gone for longer than a push waits makes the push fail, and every node ends on the head', async ({ cluster }) => {
    cluster.writeModule('patient', version('one'));
    await cluster.push('patient');
    cluster.writeModule('patient', version('two'));
    const killedAt = Date.now();
    const ended = await inTheMiddle(
      cluster,
      { holder: 'fred', others: cluster.names.length - 1 },
      () => cluster.hotcast('push', 'patient', '--timeout', '4'),
      () => cluster.kill('nats'),
    );
    expect(ended).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(/^hotcast: /) as string });
    await (await cluster.container('nats')).start();
    for (const name of cluster.names) {
      await cluster.logged(name, ({ msg }) => msg === 'reconnected to NATS', killedAt);
    }
    await onHeads(cluster);
    const [newest] = await cluster.history('patient');
    expect(await running(cluster, 'patient')).toEqual([newest?.revision]);
    expect((await cluster.push('patient')).exitCode).toBe(0);
  });

  it('that lost its data leaves nodes as they are, drift is shown, and a new push is obeyed', async ({ cluster }) => {
    cluster.writeModule('orphan', version('one'));
    const one = await cluster.push('orphan');
    const before = await processes(cluster);
    const wiped = await cluster.exec('nats', ['sh', '-c', 'rm -rf /data/*']);
    expect(wiped.exitCode).toBe(0);
    await restartNats(cluster);

    // The controller makes the stream anew.
    await expect.poll(() => cluster.status(), { timeout: 10_000 }).toMatchObject({ result: { heads: [] } });
    const { exitCode, result } = await cluster.status();
    expect(exitCode).toBe(1);
    expect(result.nodes.filter(({ module }) => module === 'orphan')).toEqual(
      cluster.names.map(node => ({
        module: 'orphan',
        node,
        desired: null,
        running: one.revision,
        canary: false,
        state: 'behind',
      })),
    );
    const called = await cluster.call('orphan.version()');
    expect(called.result.nodes).toMatchObject(cluster.names.map(node => ({ node, json: '"one"' })));
    expect(await processes(cluster)).toEqual(before);

    // What runs can be pushed again, and what is new is obeyed.
    for (const name of ['one', 'two']) {
      cluster.writeModule('orphan', version(name));
      const pushed = await cluster.push('orphan');
      expect({ exitCode: pushed.exitCode, outcome: pushed.result.outcome }).toEqual({
        exitCode: 0,
        outcome: 'committed',
      });
      expect(await running(cluster, 'orphan')).toEqual([pushed.revision]);
    }
    expect(await cluster.history('orphan')).toHaveLength(2);
    expect(await processes(cluster)).toEqual(before);
  });
});
