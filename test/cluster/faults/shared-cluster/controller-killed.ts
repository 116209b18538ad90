import { describe, expect } from 'vitest';

import { shortRevision } from '../../../../protocol/revision.ts';
import type { Cluster } from '../../../support/cluster/cluster.ts';
import { duringPush } from '../../../support/cluster/during-push.ts';
import { waitForConvergence, runningRevisions } from '../../../support/cluster/convergence.ts';
import { throwsOnNode, versionSource } from '../../../support/cluster/module-sources.ts';
import { openStream } from '../../../support/cluster/open-stream.ts';
import type { ProcessOutput } from '../../../support/shell.ts';
import { it } from './cluster.ts';

/** While fred is paused, a push waits between prepare and commit. */
const PAUSED_NODE = { pausedNode: 'fred', others: 3 };

/** Writes the head of a push as a controller does, but sends no commit and writes no result. */
async function writeHeadOnly(cluster: Cluster, module: string, revision: string): Promise<void> {
  await using stream = await openStream(cluster);
  const { head: last, position } = await stream.store.lastHead(module);
  const sequence = (last?.sequence ?? 0) + 1;
  const at = Date.now();
  const push = `unfinished-${at}`;
  const head = {
    module,
    revision,
    canary: null,
    force: false,
    makeRoom: false,
    manifest: null,
    revertOf: null,
    cause: null,
    keptOff: [],
    quarantine: false,
    repeats: false,
    sequence,
    stateSince: 0,
    push,
    author: 'gone',
    at,
    note: 'push',
  };
  expect(await stream.store.writeHeads([{ head, position }])).toBe(true);
}

/** The newest heads of a module with their results. */
async function newest(cluster: Cluster, module: string, count: number) {
  const heads = (await cluster.history(module)).slice(0, count);
  return heads.map(({ revision, author, note, outcome }) => ({ revision, author, note, outcome }));
}

/** What `hotcast result` finds of a push whose controller was killed. */
async function resultOf(cluster: Cluster, { exitCode, stdout, stderr }: ProcessOutput): Promise<ProcessOutput> {
  const ended =
    /^warning: the controller ended before the result .* \(change (\S+)\)\n.*; see later: hotcast result \1\n$/;
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 5,
    stdout: '',
    stderr: expect.stringMatching(ended) as string,
  });
  return cluster.hotcast('result', ended.exec(stderr)?.[1] ?? '');
}

const committed = (loaded: number) => expect.objectContaining({ verdict: 'committed', loaded, refused: 0, silent: 0 });

describe('a controller that is killed', () => {
  it('between prepare and commit has changed nothing, and the next controller can push', async ({ cluster }) => {
    cluster.writeModule('forgotten', versionSource('one'));
    const one = await cluster.push('forgotten');
    const before = await cluster.history('forgotten');
    cluster.writeModule('forgotten', versionSource('two'));
    const push = () => cluster.hotcast('push', 'forgotten', '--timeout', '30');
    const lost = await duringPush(cluster, PAUSED_NODE, push, () => cluster.kill('controller'));

    await cluster.startContainer('controller');
    expect(await resultOf(cluster, lost)).toEqual({
      exitCode: 2,
      stdout: expect.stringMatching(/^change \S+ wrote nothing; no node has changed\n$/) as string,
      stderr: '',
    });
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'forgotten')).toEqual([one.revision]);
    expect(await cluster.history('forgotten')).toEqual(before);

    const again = await cluster.push('forgotten');
    expect({ exitCode: again.exitCode, outcome: again.result.outcome }).toEqual({ exitCode: 0, outcome: 'committed' });
    expect(await runningRevisions(cluster, 'forgotten')).toEqual([again.revision]);
  });

  it('before all nodes got the commit has committed: nodes that start load it, and the next controller completes it', async ({
    cluster,
  }) => {
    cluster.writeModule('finished', versionSource('one'));
    await cluster.push('finished');
    cluster.writeModule('finished', versionSource('two'));
    const push = () => cluster.hotcast('push', 'finished', '--timeout', '30');
    const lost = await duringPush(cluster, PAUSED_NODE, push, async observer => {
      await cluster.kill('betty');
      // The controller writes the head, and waits for betty.
      await (await cluster.container('fred')).unpause();
      await observer.waitForHead(({ module }) => module === 'finished');
      await cluster.kill('controller');
    });
    const startedAt = Date.now();
    await cluster.startContainer('betty');
    await cluster.waitForLog('betty', ({ msg, module }) => msg === 'loaded' && module === 'finished', startedAt);

    await cluster.startContainer('controller');
    await waitForConvergence(cluster);
    await expect.poll(() => newest(cluster, 'finished', 1)).toMatchObject([{ outcome: committed(4) }]);
    const [head] = await newest(cluster, 'finished', 1);
    expect(await resultOf(cluster, lost)).toMatchObject({
      exitCode: 0,
      stdout: `finished@${shortRevision(head?.revision ?? '')} committed · 4 loaded, 0 refused, 0 silent\n`,
    });
    expect(await runningRevisions(cluster, 'finished')).toEqual([head?.revision]);
  });

  it('directly after it wrote the head leaves the commit to the next controller', async ({ cluster }) => {
    cluster.writeModule('written', versionSource('one'));
    const one = await cluster.push('written');
    cluster.writeModule('written', versionSource('two'));
    const two = await cluster.push('written');
    expect((await cluster.change('rollback', 'written')).exitCode).toBe(0);
    expect(await runningRevisions(cluster, 'written')).toEqual([one.revision]);

    await cluster.kill('controller');
    await writeHeadOnly(cluster, 'written', two.revision);
    // A node that starts loads the head without any controller.
    const startedAt = Date.now();
    await cluster.kill('bambam');
    await cluster.startContainer('bambam');
    await cluster.waitForLog(
      'bambam',
      ({ msg, module, revision }) =>
        msg === 'loaded' && module === 'written' && revision === shortRevision(two.revision),
      startedAt,
    );

    await cluster.startContainer('controller');
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'written')).toEqual([two.revision]);
    await expect
      .poll(() => newest(cluster, 'written', 1))
      .toEqual([{ revision: two.revision, author: 'gone', note: 'push', outcome: committed(4) }]);
    const { stdout } = await cluster.hotcast('audit', '--since', '5m');
    expect(stdout).toMatch(/hotcast +finish +.*written.*committed.*push by gone, whose controller ended/);
  });

  it('after it wrote a head that one node cannot load: the next controller rolls back every node', async ({
    cluster,
  }) => {
    cluster.writeModule('mixed', versionSource('one'));
    const one = await cluster.push('mixed');
    cluster.writeModule('mixed', await throwsOnNode(cluster, 'bambam', 'two'));
    const bad = await cluster.push('mixed');
    expect(bad.result.outcome).toBe('reverted');

    await cluster.kill('controller');
    await writeHeadOnly(cluster, 'mixed', bad.revision);
    await cluster.startContainer('controller');
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'mixed')).toEqual([one.revision]);
    await expect
      .poll(() => newest(cluster, 'mixed', 2))
      .toEqual([
        { revision: one.revision, author: 'gone', note: 'revert: refused by bambam', outcome: committed(4) },
        {
          revision: bad.revision,
          author: 'gone',
          note: 'push',
          outcome: expect.objectContaining({ verdict: 'reverted', loaded: 3, refused: 1, silent: 0 }) as object,
        },
      ]);
  });

  it('after it wrote a head that one node cannot load: the next controller rolls back without a roster too', async ({
    cluster,
  }) => {
    cluster.writeModule('rosterless', versionSource('one'));
    const one = await cluster.push('rosterless');
    cluster.writeModule('rosterless', await throwsOnNode(cluster, 'bambam', 'two'));
    const bad = await cluster.push('rosterless');
    expect(bad.result.outcome).toBe('reverted');

    const roster = await cluster.container('roster');
    await Promise.all([cluster.kill('controller'), roster.stop({ t: 10 })]);
    await writeHeadOnly(cluster, 'rosterless', bad.revision);
    await cluster.startContainer('controller');
    // The controller learns of the nodes from their heartbeats. The first ones that it knows can all be on their heads.
    const reverted = { note: 'revert: refused by bambam', outcome: committed(4) };
    await expect.poll(() => newest(cluster, 'rosterless', 1), { timeout: 30_000 }).toMatchObject([reverted]);
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'rosterless')).toEqual([one.revision]);
    await cluster.startContainer('roster');
  });
});
