import { describe, expect } from 'vitest';

import { shortRevision } from '../../../../protocol/revision.ts';
import type { Cluster } from '../../../support/cluster/cluster.ts';
import type { LogLine } from '../../../../packages/testing/src/fleet/log-lines.ts';
import { pause } from '../../../support/docker/pause.ts';
import { engineEvents } from '../../../support/docker/engine-events.ts';
import { it } from './cluster.ts';

const versions = { count: 0 };

/** Writes a version of the module that was not pushed yet. */
function edit(cluster: Cluster): void {
  versions.count += 1;
  cluster.writeModule('news', `export function version() { return ${versions.count}; }\n`);
}

const loaded =
  (revision: string) =>
  ({ msg, module, revision: logged }: LogLine): boolean =>
    msg === 'loaded' && module === 'news' && logged === shortRevision(revision);

const ready = ({ msg }: LogLine): boolean => msg === 'ready';

describe('a node that missed a push', () => {
  it('because it was paused is reported as silent, and loads the revision when it continues', async ({ cluster }) => {
    edit(cluster);
    await cluster.push('news');
    const bambam = await cluster.container('bambam');
    await pause(bambam);
    let pushed: Awaited<ReturnType<Cluster['push']>>;
    try {
      edit(cluster);
      pushed = await cluster.push('news', '--timeout', '3');
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

      // The next push does not wait for it.
      edit(cluster);
      pushed = await cluster.push('news', '--timeout', '60');
      expect(pushed.result).toMatchObject({
        outcome: 'committed',
        nodes: [{}, { node: 'bambam', status: 'silent' }, {}],
      });
      expect(pushed.result.times.prepare).toBeLessThan(60_000);
      const seen = { outcome: { verdict: 'committed', loaded: 2, refused: 0, silent: 1 }, later: [] };
      expect((await cluster.history('news')).slice(0, 2)).toMatchObject([seen, seen]);
    } finally {
      await bambam.unpause();
    }

    await cluster.waitForLog('bambam', loaded(pushed.revision));
    await expect
      .poll(() => cluster.history('news').then(([newest]) => newest), { timeout: 20_000 })
      .toMatchObject({ outcome: { loaded: 2, silent: 1 }, later: [{ verdict: 'committed', loaded: 3, silent: 0 }] });
    const { result } = await cluster.call('news.version()', '--node', 'bambam');
    expect(result.nodes).toMatchObject([{ json: String(versions.count), revision: pushed.revision }]);
  });

  it('because it was stopped is not expected to answer, and loads the revision when it starts', async ({ cluster }) => {
    const betty = await cluster.container('betty');
    const before = (await cluster.nodes()).find(({ node }) => node === 'betty');
    await betty.kill();
    // The roster hears of it from the engine.
    const listed = async () => (await cluster.nodes()).map(({ node }) => node);
    await expect.poll(listed, { timeout: 10_000 }).toEqual(['fred', 'bambam']);
    edit(cluster);
    const pushed = await cluster.push('news');
    expect(pushed.exitCode).toBe(0);
    expect(pushed.result.nodes.map(({ node }) => node)).toEqual(['fred', 'bambam']);

    const startedAt = Date.now();
    await betty.start();
    await cluster.waitForLog('betty', ready, startedAt);
    const after = (await cluster.nodes()).find(({ node }) => node === 'betty');
    expect(after).toMatchObject({
      status: 'present',
      container: before?.container,
      modules: { news: { revision: pushed.revision } },
    });
    expect(await cluster.hotcast('ping', 'betty')).toMatchObject({ exitCode: 0, stdout: 'pong\n' });
  });

  it('because it crashed restarts with its name and with the pushed revision', async ({ cluster }) => {
    edit(cluster);
    const pushed = await cluster.push('news');
    const fred = await cluster.container('fred');
    const before = (await cluster.nodes()).find(({ node }) => node === 'fred');
    if (before?.status !== 'present') throw new TypeError('fred is silent');

    const events = await engineEvents(fred.id, AbortSignal.timeout(60_000));
    const crash = ['node', '-e', `process.kill(${before.pid}, 'SIGKILL')`];
    const crashing = await fred.exec({ Cmd: crash });
    await crashing.start({ Detach: true });
    let restartedAt = Number.NaN;
    for await (const { action, at } of events) {
      restartedAt = at;
      if (action === 'start') break;
    }
    await cluster.waitForLog('fred', ready, restartedAt);

    const after = (await cluster.nodes()).find(({ node }) => node === 'fred');
    expect(after).toMatchObject({
      status: 'present',
      container: before.container,
      modules: { news: { revision: pushed.revision } },
    });
    expect(after?.status === 'present' && after.startedAt > before.startedAt).toBe(true);
    expect(await cluster.hotcast('ping', 'fred')).toMatchObject({ exitCode: 0, stdout: 'pong\n' });
  });

  it('because it is new loads every pushed module when it starts', async ({ cluster }) => {
    edit(cluster);
    const pushed = await cluster.push('news');
    await cluster.addNodes(1);
    const revisions = await cluster.revisions();
    expect(Object.keys(revisions)).toEqual(['fred', 'bambam', 'betty', 'wilma']);
    const { heads } = (await cluster.status()).result;
    const pushedRevisions = heads.flatMap(({ module, revision }) => (revision === null ? [] : [[module, revision]]));
    expect(revisions['wilma']).toEqual(Object.fromEntries(pushedRevisions));
    expect(revisions['wilma']).toMatchObject({ news: pushed.revision });
  });
});
