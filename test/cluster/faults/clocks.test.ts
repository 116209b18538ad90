import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { describe, expect } from 'vitest';

import { streamOf } from '../../../protocol/subjects.ts';
import { setClock, SHIFTABLE_CLOCK } from '../../support/docker/clock.ts';
import type { Cluster } from '../../support/cluster/cluster.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';
import { runningRevisions, waitForConvergence } from '../../support/cluster/convergence.ts';
import { versionSource } from '../../support/cluster/module-sources.ts';

const HOUR = 3_600_000;

const it = clusterTest({ nodes: 3, node: SHIFTABLE_CLOCK, controller: SHIFTABLE_CLOCK });

const loaded = (cluster: Cluster) => cluster.nodeNames.map(node => ({ node, status: 'loaded' }));

/** What `nodes` says of a clock that is so far off (milliseconds), and of no other. It is measured as exactly as NATS answers. */
const warningOf = (who: string, offset: number): RegExp => {
  const name = who === 'controller' ? 'the controller' : who;
  const side = offset > 0 ? 'ahead of' : 'behind';
  const rest = 'that of NATS: the times that it writes are wrong, and nothing else';
  return new RegExp(`^warning: the clock of ${name} is (3599|3600)\\.\\d s ${side} ${rest}\\n$`);
};

/** Pushes a version, which every node loads at about the same time. */
async function pushEverywhere(cluster: Cluster, version: string): Promise<string> {
  cluster.writeModule('timely', versionSource(version));
  const { exitCode, result, revision } = await cluster.push('timely');
  expect({ exitCode, ...result }).toMatchObject({ exitCode: 0, outcome: 'committed', nodes: loaded(cluster) });
  expect(result.times.skew).toBeLessThan(60_000);
  expect(await runningRevisions(cluster, 'timely')).toEqual([revision]);
  return revision;
}

/** Does all that changes heads, and starts a node anew: each reaches every node. */
async function changesReachEveryNode(cluster: Cluster, name: string): Promise<void> {
  const first = await pushEverywhere(cluster, `${name} first`);
  const second = await pushEverywhere(cluster, `${name} second`);
  for (const [command, revision] of [
    ['rollback', first],
    ['rollback', second],
    ['remove', null],
    ['rollback', second],
    ['repair', second],
  ] as const) {
    const { exitCode, result } = await cluster.change(command, 'timely');
    expect({ ...result, exitCode }).toMatchObject({ exitCode: 0, outcome: 'committed' });
    expect(await runningRevisions(cluster, 'timely')).toEqual([revision]);
  }
  expect((await cluster.history('timely'))[0]).toMatchObject({ note: 'repair', outcome: { loaded: 3, refused: 0 } });
  await cluster.kill('betty');
  await cluster.startContainer('betty');
  await waitForConvergence(cluster);
  expect(await runningRevisions(cluster, 'timely')).toEqual([second]);
}

describe('a clock that is off', () => {
  it.for([
    ['controller', HOUR],
    ['controller', -HOUR],
    ['bambam', HOUR],
    ['bambam', -HOUR],
  ] as const)('of %s by %d ms changes nothing that happens, then or later', async ([who, offset], { cluster }) => {
    await pushEverywhere(cluster, `${who} ${offset} before`);
    await setClock(cluster, who, offset);
    expect((await cluster.hotcast('nodes')).stderr).toMatch(warningOf(who, offset));
    await changesReachEveryNode(cluster, `${who} ${offset} off`);
    await setClock(cluster, who, 0);
    expect((await cluster.hotcast('nodes')).stderr).toBe('');
    // Simulated clusters have all changes happen then.
    await pushEverywhere(cluster, `${who} ${offset} right`);
  });
});

describe('a stream that is lost', () => {
  it('takes pushes that every node follows, also from a controller that has just started', async ({ cluster }) => {
    await setClock(cluster, 'controller', HOUR);
    await pushEverywhere(cluster, 'before the loss');
    await setClock(cluster, 'controller', 0);
    await using nats = await connect(await cluster.natsOptions());
    const { streams } = await jetstreamManager(nats, { checkAPI: false });
    await streams.purge(streamOf(cluster.cookie));
    const second = await pushEverywhere(cluster, 'after the loss');

    await cluster.kill('controller');
    await streams.purge(streamOf(cluster.cookie));
    await cluster.startContainer('controller');
    expect((await cluster.hotcast('repair', 'timely')).stderr).toBe(
      'hotcast: the stream has no head of timely; push it again\n',
    );
    expect(await runningRevisions(cluster, 'timely')).toEqual([second]);
    await changesReachEveryNode(cluster, 'with another controller');
  });
});
