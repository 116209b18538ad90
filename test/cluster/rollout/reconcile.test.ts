import { describe, expect } from 'vitest';

import { shortRevision } from '../../../protocol/revision.ts';
import type { Cluster, LogLine } from '../../support/cluster.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { engineEvents, pause } from '../../support/docker.ts';

const it = clusterTest({ nodes: 3 });

const versions = { count: 0 };

/** Writes a module that was never pushed before. */
function edit(cluster: Cluster): void {
  versions.count += 1;
  cluster.writeModule('news', `export function version() { return ${versions.count}; }\n`);
}

const loaded =
  (revision: string) =>
  ({ msg, module, revision: logged }: LogLine): boolean =>
    msg === 'loaded' && module === 'news' && logged === shortRevision(revision);

const ready = ({ msg }: LogLine): boolean => msg === 'ready';

describe('catch up', () => {
  it('names a paused node as silent, which has the revision soon after it goes on', async ({ cluster }) => {
    edit(cluster);
    await cluster.push('news');
    const bambam = await cluster.container('bambam');
    await pause(bambam);
    edit(cluster);
    const pushed = await cluster.push('news', '--timeout', '3');
    expect(pushed.exitCode).toBe(3);
    expect(pushed.result).toMatchObject({
      outcome: 'committed',
      nodes: [
        { node: 'fred', status: 'loaded' },
        { node: 'bambam', status: 'silent' },
        { node: 'betty', status: 'loaded' },
      ],
    });
    expect(await cluster.hotcast('ping', 'bambam', '--timeout', '1')).toMatchObject({
      exitCode: 3,
      stdout: 'bambam  pang  silent\n',
      stderr: '',
    });

    await bambam.unpause();
    await cluster.logged('bambam', loaded(pushed.revision));
    const { result } = await cluster.call('news.version()', '--node', 'bambam');
    expect(result.nodes).toMatchObject([{ json: String(versions.count), revision: pushed.revision }]);
  });

  it('does not expect a node that was stopped, and brings it up to date when it is started', async ({ cluster }) => {
    const betty = await cluster.container('betty');
    const before = (await cluster.nodes()).find(({ node }) => node === 'betty');
    await betty.kill();
    edit(cluster);
    const pushed = await cluster.push('news');
    expect(pushed.exitCode).toBe(0);
    expect(pushed.result.nodes.map(({ node }) => node)).toEqual(['fred', 'bambam']);

    const startedAt = Date.now();
    await betty.start();
    await cluster.logged('betty', ready, startedAt);
    const after = (await cluster.nodes()).find(({ node }) => node === 'betty');
    expect(after).toMatchObject({
      status: 'present',
      container: before?.container,
      modules: { news: { revision: pushed.revision } },
    });
    expect(await cluster.hotcast('ping', 'betty')).toMatchObject({ exitCode: 0, stdout: 'pong\n' });
  });

  it('brings back a node that crashed, with its name and what was pushed', async ({ cluster }) => {
    edit(cluster);
    const pushed = await cluster.push('news');
    const fred = await cluster.container('fred');
    const before = (await cluster.nodes()).find(({ node }) => node === 'fred');
    if (before?.status !== 'present') throw new TypeError('fred is not there');

    const events = await engineEvents(fred.id, AbortSignal.timeout(60_000));
    const crash = ['node', '-e', `process.kill(${before.pid}, 'SIGKILL')`];
    const crashing = await fred.exec({ Cmd: crash });
    await crashing.start({ Detach: true });
    let restartedAt = Number.NaN;
    for await (const { action, at } of events) {
      restartedAt = at;
      if (action === 'start') break;
    }
    await cluster.logged('fred', ready, restartedAt);

    const after = (await cluster.nodes()).find(({ node }) => node === 'fred');
    expect(after).toMatchObject({
      status: 'present',
      container: before.container,
      modules: { news: { revision: pushed.revision } },
    });
    expect(after?.status === 'present' && after.startedAt > before.startedAt).toBe(true);
    expect(await cluster.hotcast('ping', 'fred')).toMatchObject({ exitCode: 0, stdout: 'pong\n' });
  });

  it('gives a node that starts later all that was pushed, without a push', async ({ cluster }) => {
    edit(cluster);
    const pushed = await cluster.push('news');
    await cluster.addNodes(1);
    const revisions = await cluster.revisions();
    expect(Object.keys(revisions)).toEqual(['fred', 'bambam', 'betty', 'wilma']);
    expect(revisions['wilma']).toEqual({ news: pushed.revision });
  });
});
