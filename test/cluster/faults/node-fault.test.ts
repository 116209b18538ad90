import { describe, expect } from 'vitest';

import { shortRevision } from '../../../protocol/revision.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { pause } from '../../support/docker.ts';
import { inTheMiddle } from '../../support/middle.ts';
import { onHeads, running } from '../../support/on-heads.ts';
import { version } from '../../support/sources.ts';

const it = clusterTest({ nodes: 4 });

/** How long a push waits for a node that does not answer. */
const PATIENCE = ['--timeout', '5'];

/** Fred holds the push between prepare and commit; the fault is another node's. */
const HOLD = { holder: 'fred', others: 3 };

/** Says over and over in the log which version it is, so that it is seen to run without NATS. */
const speaking = (name: string): string => `
  clearInterval(import.meta.hot.data.timer);
  import.meta.hot.data.timer = setInterval(() => console.log('this is ${name}'), 100);
  ${version(name)}
`;

describe('a node in the middle of a push', () => {
  it('that is killed is named silent, and ends on the revision when it was started again', async ({ cluster }) => {
    cluster.writeModule('killed', version('one'));
    await cluster.push('killed');
    cluster.writeModule('killed', version('two'));
    const push = () => cluster.push('killed', ...PATIENCE);
    const { exitCode, result, revision } = await inTheMiddle(cluster, HOLD, push, () => cluster.kill('bambam'));
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 3, outcome: 'committed' });
    expect(result.nodes).toMatchObject([
      { node: 'fred', status: 'loaded' },
      { node: 'bambam', status: 'silent' },
      { node: 'betty', status: 'loaded' },
      { node: 'wilma', status: 'loaded' },
    ]);

    await cluster.startAgain('bambam');
    await onHeads(cluster);
    expect(await running(cluster, 'killed')).toEqual([revision]);
  });

  it('that is paused is named silent, and converges when it goes on, with no push', async ({ cluster }) => {
    cluster.writeModule('paused', version('one'));
    await cluster.push('paused');
    cluster.writeModule('paused', version('two'));
    const betty = await cluster.container('betty');
    const push = () => cluster.push('paused', ...PATIENCE);
    const { exitCode, result, revision } = await inTheMiddle(cluster, HOLD, push, async () => {
      await pause(betty);
    });
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 3, outcome: 'committed' });
    expect(result.nodes.filter(({ status }) => status !== 'loaded')).toEqual([{ node: 'betty', status: 'silent' }]);
    const drift = await cluster.status();
    expect(drift.exitCode).toBe(1);
    expect(drift.result.nodes).toContainEqual({
      module: 'paused',
      node: 'betty',
      desired: revision,
      running: null,
      canary: false,
      state: 'silent',
    });

    await betty.unpause();
    await onHeads(cluster);
    expect(await running(cluster, 'paused')).toEqual([revision]);
  });

  it('that is cut off serves its old code, and is on its heads 3 s after it reached NATS', async ({ cluster }) => {
    cluster.writeModule('cut', speaking('one'));
    await cluster.push('cut');
    cluster.writeModule('cut', speaking('two'));
    const push = () => cluster.push('cut', ...PATIENCE);
    const { exitCode, result, revision } = await inTheMiddle(cluster, HOLD, push, () => cluster.cutOff('wilma'));
    const pushedAt = Date.now();
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 3, outcome: 'committed' });
    expect(result.nodes.filter(({ status }) => status !== 'loaded')).toEqual([{ node: 'wilma', status: 'silent' }]);
    await cluster.logged('wilma', ({ msg }) => msg.startsWith('disconnected from NATS'));
    await cluster.logged('wilma', ({ msg }) => msg === 'this is one', pushedAt);

    const joinedAt = Date.now();
    await cluster.join('wilma');
    const reached = await cluster.logged('wilma', ({ msg }) => msg === 'reconnected to NATS', joinedAt);
    const caughtUp = await cluster.logged('wilma', ({ msg }) => msg === 'caught up with the stream', joinedAt);
    expect(Date.parse(caughtUp.time) - Date.parse(reached.time)).toBeLessThan(3_000);
    await onHeads(cluster);
    expect(await running(cluster, 'cut')).toEqual([revision]);
    const said = (await cluster.logsOf('wilma')).filter(({ msg }) => msg.startsWith('this is '));
    const first = said.findIndex(({ msg }) => msg === 'this is two');
    expect(new Set(said.slice(first).map(({ msg }) => msg))).toEqual(new Set(['this is two']));
    expect(said[first]?.revision).toBe(shortRevision(revision));
  });

  it('that is new ends on what was pushed', async ({ cluster }) => {
    cluster.writeModule('grown', version('one'));
    await cluster.push('grown');
    cluster.writeModule('grown', version('two'));
    let starting = Promise.resolve();
    const push = () => cluster.push('grown', '--timeout', '30');
    const { exitCode, result, revision } = await inTheMiddle(cluster, HOLD, push, async () => {
      // One is there before the commit, with the first revision; the other starts while the commit is sent.
      await cluster.addNodes(1);
      starting = cluster.addNodes(1);
    });
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 0, outcome: 'committed' });
    await starting;
    await onHeads(cluster);
    expect(Object.keys(await cluster.revisions())).toEqual(cluster.names);
    expect(await running(cluster, 'grown')).toEqual([revision]);
  });
});

describe('a node that is gone', () => {
  it('is known at once when it stopped, within 6 s when it was killed, without a roster too', async ({ cluster }) => {
    const listed = async () => (await cluster.nodes('--timeout', '0.5')).map(({ node }) => node);
    await (await cluster.container('roster')).stop({ t: 10 });
    expect(await listed()).toEqual(cluster.names);

    await (await cluster.container('fred')).stop({ t: 10 });
    expect(await listed()).not.toContain('fred');

    await cluster.kill('bambam');
    const killedAt = performance.now();
    let heardOf = 0;
    const stillListed = async (): Promise<boolean> => {
      const askedAt = performance.now();
      const present = (await listed()).includes('bambam');
      if (present) heardOf = askedAt - killedAt;
      return present;
    };
    await expect.poll(stillListed, { timeout: 20_000 }).toBe(false);
    expect(heardOf).toBeLessThan(6_000);

    await (await cluster.container('roster')).start();
    await Promise.all([cluster.startAgain('fred'), cluster.startAgain('bambam')]);
    await onHeads(cluster);
  });
});
