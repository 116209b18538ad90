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
      pushed = await cluster.push('news', '--timeout', '8');
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
      .poll(() => cluster.history('news').then(([newest]) => newest))
      .toMatchObject({ outcome: { loaded: 2, silent: 1 }, later: [{ verdict: 'committed', loaded: 3, silent: 0 }] });
    const { result } = await cluster.call('news.version()', '--node', 'bambam');
    expect(result.nodes).toMatchObject([{ json: String(versions.count), revision: pushed.revision }]);
  });

  it('because it was stopped is not expected to answer, and loads the revision when it starts, as do one that crashed and a new one', async ({
    cluster,
  }) => {
    const present = async (name: string) => {
      const node = (await cluster.nodes()).find(each => each.node === name);
      if (node?.status !== 'present') throw new TypeError(`${name} is silent`);
      return node;
    };
    const betty = await cluster.container('betty');
    const before = { fred: await present('fred'), betty: await present('betty') };
    await betty.kill();
    // The roster hears of it from the engine.
    const listed = async () => (await cluster.nodes()).map(({ node }) => node);
    await expect.poll(listed).toEqual(['fred', 'bambam']);
    edit(cluster);
    const pushed = await cluster.push('news');
    expect(pushed.exitCode).toBe(0);
    expect(pushed.result.nodes.map(({ node }) => node)).toEqual(['fred', 'bambam']);

    const startedAt = Date.now();
    const restarted = crash(cluster, 'fred', before.fred.pid).then(at => cluster.waitForLog('fred', ready, at));
    const started = betty.start().then(() => cluster.waitForLog('betty', ready, startedAt));
    await Promise.all([restarted, started, cluster.addNodes(1)]);
    for (const name of ['fred', 'betty'] as const) {
      const after = await present(name);
      expect(after).toMatchObject({
        container: before[name].container,
        modules: { news: { revision: pushed.revision } },
      });
      expect(after.startedAt).toBeGreaterThan(before[name].startedAt);
      expect(await cluster.hotcast('ping', name)).toMatchObject({ exitCode: 0, stdout: 'pong\n' });
    }
    const revisions = await cluster.revisions();
    expect(Object.keys(revisions)).toEqual(['fred', 'bambam', 'betty', 'wilma']);
    const { heads } = (await cluster.status()).result;
    const pushedRevisions = heads.flatMap(({ module, revision }) => (revision === null ? [] : [[module, revision]]));
    expect(revisions['wilma']).toEqual(Object.fromEntries(pushedRevisions));
    expect(revisions['wilma']).toMatchObject({ news: pushed.revision });
  });
});

/** Has the process of a node end without a word. Gives the time at which the engine has started it again. */
async function crash(cluster: Cluster, name: string, pid: number): Promise<number> {
  const container = await cluster.container(name);
  const events = await engineEvents(container.id, AbortSignal.timeout(60_000));
  const crashing = await container.exec({ Cmd: ['node', '-e', `process.kill(${pid}, 'SIGKILL')`] });
  await crashing.start({ Detach: true });
  for await (const { action, at } of events) if (action === 'start') return at;
  throw new Error(`${name} did not start again`);
}
