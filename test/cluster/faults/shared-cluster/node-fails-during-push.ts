import { describe, expect } from 'vitest';

import { replicaName } from '../../../../protocol/names.ts';
import { shortRevision } from '../../../../protocol/revision.ts';
import { pause } from '../../../support/docker/pause.ts';
import { duringPush } from '../../../support/cluster/during-push.ts';
import { waitForConvergence, runningRevisions } from '../../../support/cluster/convergence.ts';
import { versionSource } from '../../../support/cluster/module-sources.ts';
import { it } from './cluster.ts';

/** The timeout of a push for nodes that do not answer. */
const PUSH_TIMEOUT = ['--timeout', '10'];

/** While fred is paused, a push waits between prepare and commit. Another node fails. */
const PAUSED_NODE = { pausedNode: 'fred', others: 3 };

/** A module that logs its version every 100 ms: the log shows what runs on a node that has no connection. */
const loggingSource = (name: string): string => `
  clearInterval(import.meta.hot.data.timer);
  import.meta.hot.data.timer = setInterval(() => console.log('this is ${name}'), 100);
  ${versionSource(name)}
`;

describe('a node during a push', () => {
  it('that is killed is reported as silent, and loads the revision when it starts again', async ({ cluster }) => {
    cluster.writeModule('killed', versionSource('one'));
    await cluster.push('killed');
    cluster.writeModule('killed', versionSource('two'));
    const push = () => cluster.push('killed', ...PUSH_TIMEOUT);
    const { exitCode, result, revision } = await duringPush(cluster, PAUSED_NODE, push, () => cluster.kill('bambam'));
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 3, outcome: 'committed' });
    expect(result.nodes).toMatchObject([
      { node: 'fred', status: 'loaded' },
      { node: 'bambam', status: 'silent' },
      { node: 'betty', status: 'loaded' },
      { node: 'wilma', status: 'loaded' },
    ]);

    await cluster.startContainer('bambam');
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'killed')).toEqual([revision]);
  });

  it('that is stopped, or whose container is removed, is not waited for', async ({ cluster }) => {
    cluster.writeModule('left', versionSource('one'));
    await cluster.push('left');
    cluster.writeModule('left', versionSource('two'));
    const removed = replicaName(9);
    await cluster.addNode(removed, 'node-9');
    const startedAt = performance.now();
    const { stderr, exitCode, result } = await duringPush(
      cluster,
      { pausedNode: 'fred', others: 4 },
      () => cluster.push('left', '--timeout', '60'),
      async () => {
        await (await cluster.container('bambam')).stop({ t: 10 });
        await (await cluster.container(removed)).remove({ force: true });
      },
    );
    expect(performance.now() - startedAt).toBeLessThan(55_000);
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 0, outcome: 'committed' });
    expect(result.nodes).toMatchObject(['fred', 'betty', 'wilma'].map(node => ({ node, status: 'loaded' })));
    expect(stderr).toContain(`left meanwhile, so not waited for: bambam, ${removed}`);
    await cluster.startContainer('bambam');
    await waitForConvergence(cluster);
  });

  it('that is paused is reported as silent, and converges without a push when it continues', async ({ cluster }) => {
    cluster.writeModule('paused', versionSource('one'));
    await cluster.push('paused');
    cluster.writeModule('paused', versionSource('two'));
    const betty = await cluster.container('betty');
    const push = () => cluster.push('paused', ...PUSH_TIMEOUT);
    const { exitCode, result, revision } = await duringPush(cluster, PAUSED_NODE, push, async () => {
      await pause(betty);
    });
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 3, outcome: 'committed' });
    expect(result.nodes.filter(({ status }) => status !== 'loaded')).toEqual([{ node: 'betty', status: 'silent' }]);
    const drift = await cluster.status();
    expect(drift.exitCode).toBe(3);
    expect(drift.result.nodes).toContainEqual({
      module: 'paused',
      node: 'betty',
      desired: revision,
      running: null,
      canary: false,
      state: 'silent',
      errors: 0,
      draining: [],
    });

    await betty.unpause();
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'paused')).toEqual([revision]);
  });

  it('that is disconnected runs its old version, and converges when it reconnects', async ({ cluster }) => {
    cluster.writeModule('cut', loggingSource('one'));
    await cluster.push('cut');
    cluster.writeModule('cut', loggingSource('two'));
    const push = () => cluster.push('cut', ...PUSH_TIMEOUT);
    const cutAt = Date.now();
    const { exitCode, result, revision } = await duringPush(cluster, PAUSED_NODE, push, () =>
      cluster.disconnect('wilma'),
    );
    const pushedAt = Date.now();
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 3, outcome: 'committed' });
    expect(result.nodes.filter(({ status }) => status !== 'loaded')).toEqual([{ node: 'wilma', status: 'silent' }]);
    await cluster.waitForLog('wilma', ({ msg }) => msg.startsWith('disconnected from NATS'), cutAt);
    await cluster.waitForLog('wilma', ({ msg }) => msg === 'this is one', pushedAt);

    const joinedAt = Date.now();
    await cluster.reconnect('wilma');
    const reached = await cluster.waitForLog('wilma', ({ msg }) => msg === 'reconnected to NATS', joinedAt);
    const caughtUp = await cluster.waitForLog('wilma', ({ msg }) => msg === 'caught up with the stream', joinedAt);
    // The next digest of the controller comes within two seconds.
    expect(Date.parse(caughtUp.time) - Date.parse(reached.time)).toBeLessThan(10_000);
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'cut')).toEqual([revision]);
    await cluster.waitForLog('wilma', ({ msg }) => msg === 'this is two');
    const said = (await cluster.logsOf('wilma')).filter(({ msg }) => msg.startsWith('this is '));
    const first = said.findIndex(({ msg }) => msg === 'this is two');
    expect(new Set(said.slice(first).map(({ msg }) => msg))).toEqual(new Set(['this is two']));
    expect(said[first]?.revision).toBe(shortRevision(revision));
  });

  it('that starts loads the pushed revision', async ({ cluster }) => {
    cluster.writeModule('grown', versionSource('one'));
    await cluster.push('grown');
    cluster.writeModule('grown', versionSource('two'));
    let starting = Promise.resolve();
    const push = () => cluster.push('grown', '--timeout', '75');
    const { exitCode, result, revision } = await duringPush(cluster, PAUSED_NODE, push, async () => {
      // One node is ready before the commit, with the first revision. The other one starts during the commit.
      await cluster.addNodes(1);
      starting = cluster.addNodes(1);
    });
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 0, outcome: 'committed' });
    await starting;
    await waitForConvergence(cluster);
    expect(Object.keys(await cluster.revisions())).toEqual(cluster.nodeNames);
    expect(await runningRevisions(cluster, 'grown')).toEqual([revision]);
  });
});

describe('a node that ended', () => {
  it('is not listed any more: at once when it stopped, in seconds when it was killed, without a roster too', async ({
    cluster,
  }) => {
    const listed = async () => (await cluster.nodes('--timeout', '0.5')).map(({ node }) => node);
    await (await cluster.container('roster')).stop({ t: 10 });
    expect(await listed()).toEqual(cluster.nodeNames);

    await (await cluster.container('fred')).stop({ t: 10 });
    expect(await listed()).not.toContain('fred');

    await cluster.kill('bambam');
    const killedAt = performance.now();
    let lastListedMs = 0;
    const stillListed = async (): Promise<boolean> => {
      const askedAt = performance.now();
      const present = (await listed()).includes('bambam');
      if (present) lastListedMs = askedAt - killedAt;
      return present;
    };
    await expect.poll(stillListed).toBe(false);
    expect(lastListedMs).toBeLessThan(10_000);

    await cluster.startContainer('roster');
    await Promise.all([cluster.startContainer('fred'), cluster.startContainer('bambam')]);
    await waitForConvergence(cluster);
  });
});
