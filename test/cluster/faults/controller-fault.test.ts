import { describe, expect } from 'vitest';

import { nextSequence } from '../../../protocol/head.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import type { Cluster } from '../../support/cluster.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { inTheMiddle } from '../../support/middle.ts';
import { onHeads, running } from '../../support/on-heads.ts';
import { badOn, version } from '../../support/sources.ts';
import { openStream } from '../../support/stream.ts';

const it = clusterTest({ nodes: 3 });

/** Fred holds the push between prepare and commit. */
const HOLD = { holder: 'fred', others: 2 };

/** A head that is so old is no other controller's work in progress (milliseconds). */
const LONG_AGO = 60_000;

/** Writes the head that a controller would have written for a revision, and nothing that comes after it. */
async function writeHeadAlone(cluster: Cluster, module: string, revision: string, at = Date.now()): Promise<void> {
  await using stream = await openStream(cluster);
  const { head: last, position } = await stream.store.lastHead(module);
  const sequence = nextSequence(last?.sequence ?? 0, at);
  const push = `half-${at}`;
  const head = {
    module,
    revision,
    canary: null,
    force: false,
    revertOf: null,
    sequence,
    push,
    author: 'gone',
    at,
    note: 'push',
  };
  expect(await stream.store.writeHeads([{ head, position }])).toBe(true);
}

/** The newest heads of a module with what came of each. */
async function newest(cluster: Cluster, module: string, count: number) {
  const heads = (await cluster.history(module)).slice(0, count);
  return heads.map(({ revision, author, note, outcome }) => ({ revision, author, note, outcome }));
}

const committed = (loaded: number) => expect.objectContaining({ verdict: 'committed', loaded, refused: 0, silent: 0 });

describe('a controller that is killed', () => {
  it('between prepare and commit has changed nothing, and the next one can push', async ({ cluster }) => {
    cluster.writeModule('forgotten', version('one'));
    const one = await cluster.push('forgotten');
    const before = await cluster.history('forgotten');
    cluster.writeModule('forgotten', version('two'));
    const push = () => cluster.hotcast('push', 'forgotten', '--timeout', '30');
    const { exitCode } = await inTheMiddle(cluster, HOLD, push, () => cluster.kill('controller'));
    expect(exitCode).not.toBe(0);

    await cluster.startAgain('controller');
    await onHeads(cluster);
    expect(await running(cluster, 'forgotten')).toEqual([one.revision]);
    expect(await cluster.history('forgotten')).toEqual(before);

    const again = await cluster.push('forgotten');
    expect({ exitCode: again.exitCode, outcome: again.result.outcome }).toEqual({ exitCode: 0, outcome: 'committed' });
    expect(await running(cluster, 'forgotten')).toEqual([again.revision]);
  });

  it('before all nodes were told has committed: who starts obeys, the next one finishes', async ({ cluster }) => {
    cluster.writeModule('finished', version('one'));
    await cluster.push('finished');
    cluster.writeModule('finished', version('two'));
    const push = () => cluster.hotcast('push', 'finished', '--timeout', '30');
    await inTheMiddle(cluster, HOLD, push, async watch => {
      await cluster.kill('betty');
      // The controller goes on to write the head, and waits for betty.
      await (await cluster.container('fred')).unpause();
      await watch.sentHead(({ module }) => module === 'finished');
      await cluster.kill('controller');
    });
    const startedAt = Date.now();
    await cluster.startAgain('betty');
    await cluster.logged('betty', ({ msg, module }) => msg === 'loaded' && module === 'finished', startedAt);

    await cluster.startAgain('controller');
    await onHeads(cluster);
    const [head] = await newest(cluster, 'finished', 1);
    expect(head?.outcome).toEqual(committed(3));
    expect(await running(cluster, 'finished')).toEqual([head?.revision]);
  });

  it('right after it wrote the head leaves the rest to the next one', async ({ cluster }) => {
    cluster.writeModule('written', version('one'));
    const one = await cluster.push('written');
    cluster.writeModule('written', version('two'));
    const two = await cluster.push('written');
    expect((await cluster.change('rollback', 'written')).exitCode).toBe(0);
    expect(await running(cluster, 'written')).toEqual([one.revision]);

    await cluster.kill('controller');
    await writeHeadAlone(cluster, 'written', two.revision);
    // A node that starts obeys the head with no controller at all.
    const startedAt = Date.now();
    await cluster.kill('bambam');
    await cluster.startAgain('bambam');
    await cluster.logged(
      'bambam',
      ({ msg, module, revision }) =>
        msg === 'loaded' && module === 'written' && revision === shortRevision(two.revision),
      startedAt,
    );

    await cluster.startAgain('controller');
    await onHeads(cluster);
    expect(await running(cluster, 'written')).toEqual([two.revision]);
    expect(await newest(cluster, 'written', 1)).toEqual([
      { revision: two.revision, author: 'gone', note: 'push', outcome: committed(3) },
    ]);
  });

  it('after it wrote a head that one node cannot load leaves no mixture', async ({ cluster }) => {
    cluster.writeModule('mixed', version('one'));
    const one = await cluster.push('mixed');
    cluster.writeModule('mixed', await badOn(cluster, 'bambam', 'two'));
    const bad = await cluster.push('mixed');
    expect(bad.result.outcome).toBe('reverted');

    await cluster.kill('controller');
    await writeHeadAlone(cluster, 'mixed', bad.revision);
    await cluster.startAgain('controller');
    await onHeads(cluster);
    expect(await running(cluster, 'mixed')).toEqual([one.revision]);
    expect(await newest(cluster, 'mixed', 2)).toEqual([
      { revision: one.revision, author: 'gone', note: 'revert: refused by bambam', outcome: committed(3) },
      {
        revision: bad.revision,
        author: 'gone',
        note: 'push',
        outcome: expect.objectContaining({ verdict: 'reverted', loaded: 2, refused: 1, silent: 0 }) as object,
      },
    ]);
  });

  it('after it wrote a head that one node cannot load leaves no mixture without a roster too', async ({ cluster }) => {
    cluster.writeModule('rosterless', version('one'));
    const one = await cluster.push('rosterless');
    cluster.writeModule('rosterless', await badOn(cluster, 'bambam', 'two'));
    const bad = await cluster.push('rosterless');
    expect(bad.result.outcome).toBe('reverted');

    const roster = await cluster.container('roster');
    await Promise.all([cluster.kill('controller'), roster.stop({ t: 10 })]);
    await writeHeadAlone(cluster, 'rosterless', bad.revision, Date.now() - LONG_AGO);
    await cluster.startAgain('controller');
    // Until every node has told that it is there, the controller knows of some only, which may be on their heads.
    const reverted = { note: 'revert: refused by bambam', outcome: committed(3) };
    await expect.poll(() => newest(cluster, 'rosterless', 1), { timeout: 30_000 }).toMatchObject([reverted]);
    await onHeads(cluster);
    expect(await running(cluster, 'rosterless')).toEqual([one.revision]);
    await roster.start();
  });
});
