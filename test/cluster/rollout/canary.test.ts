import { describe, expect } from 'vitest';

import type { PushResult } from '../../../controller/src/api/results.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { inScope } from '../../../protocol/canary-scope.ts';
import type { Cluster } from '../../support/cluster/cluster.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';
import type { CommandResult } from '../../../packages/testing/src/fleet/hotcast-commands.ts';
import { waitForConvergence, runningRevisions } from '../../support/cluster/convergence.ts';
import { versionSource } from '../../support/cluster/module-sources.ts';
import { SubjectRecorder } from '../../support/cluster/subject-recorder.ts';

const it = clusterTest({ nodes: 4 });

/** A version that throws or blocks its node when it is called. */
const faulty = (name: string): string => `
  ${versionSource(name)}
  export function fail() { throw new Error('a bad canary'); }
  export function stall() { for (const start = Date.now(); Date.now() - start < 2_500; ); }
`;

/** The watch begins right after the result is written: the signal can come in between. */
const INTERRUPTED =
  /hotcast: interrupted: (the canary of left stays open: left@\w+ on betty, left@\w+ on the other 3; .* hotcast rollback left|left@\w+ is committed as a canary)\n$/;

interface Canary {
  /** The canary's node. */
  readonly node: string;
  readonly before: string;
  readonly revision: string;
  /** The result of the push. */
  readonly push: Promise<CommandResult<PushResult>>;
}

/** Pushes one version to every node, then a faulty canary to one node. Resolves when the canary runs. */
async function startCanary(cluster: Cluster, module: string, ...options: string[]): Promise<Canary> {
  cluster.writeModule(module, versionSource('one'));
  const { revision: before } = await cluster.push(module);
  cluster.writeModule(module, faulty('two'));
  const startedAt = Date.now();
  const push = cluster.push(module, '--canary', '1', '--watch', '60s', ...options);
  push.catch(() => undefined); // The test that awaits it gets the error.
  const loaded = cluster.nodeNames.map(async node => {
    const line = await cluster.waitForLog(node, each => each.msg === 'loaded' && each.module === module, startedAt);
    return { node, line };
  });
  const { node, line } = await Promise.any(loaded);
  for (const waiting of loaded) waiting.catch(() => undefined);
  return { node, before, revision: line.revision ?? '', push };
}

/** Expects that the history says that a canary was rolled back, and why. */
async function expectRolledBack(cluster: Cluster, module: string, { before }: Canary, note: RegExp): Promise<void> {
  await expect
    .poll(() => cluster.history(module))
    .toMatchObject([
      {
        revision: before,
        canary: null,
        author: 'hotcast',
        note: expect.stringMatching(note) as string,
        outcome: { verdict: 'committed' },
      },
      { revision: before, canary: { maxErrors: expect.any(Number) as number }, note: 'canary on 1' },
      { revision: before, canary: null },
    ]);
}

describe('a canary', () => {
  it('runs on one node while the other nodes keep their revision, until it is promoted', async ({ cluster }) => {
    cluster.writeModule('bird', versionSource('one'));
    const one = await cluster.push('bird');
    cluster.writeModule('bird', versionSource('two'));
    const two = await cluster.push('bird', '--canary', '1', '--watch', '100ms');
    expect({ exitCode: two.exitCode, outcome: two.result.outcome }).toEqual({ exitCode: 4, outcome: 'undecided' });
    expect(two.result.detail).toMatch(
      /^canary of bird on 1 of 4 nodes undecided: 0 calls, 0 errors in \d\.\d s: nothing was tested; .* hotcast promote bird,/,
    );
    const [loaded, ...others] = two.result.nodes.toSorted((a, b) => b.status.localeCompare(a.status));
    expect([loaded, ...others].map(each => each?.status)).toEqual(['loaded', 'kept', 'kept', 'kept']);
    const status = await cluster.status();
    expect(status.exitCode).toBe(0);
    expect(status.result.nodes).toEqual(
      cluster.nodeNames.map(node => {
        const canary = node === loaded?.node;
        const revision = canary ? two.revision : one.revision;
        return {
          module: 'bird',
          node,
          desired: revision,
          running: revision,
          canary,
          state: 'ok',
          errors: 0,
          draining: [],
        };
      }),
    );

    const promoted = await cluster.change('promote', 'bird');
    expect({ exitCode: promoted.exitCode, outcome: promoted.result.outcome }).toEqual({
      exitCode: 0,
      outcome: 'committed',
    });
    expect(await runningRevisions(cluster, 'bird')).toEqual([two.revision]);
    await cluster.change('remove', 'bird');
  });

  it('is rolled back when more calls fail than --max-errors allows', async ({ cluster }) => {
    const canary = await startCanary(cluster, 'failing', '--max-errors', '2');
    await using recorder = await SubjectRecorder.start(await cluster.natsOptions(), '>');
    const nextHeartbeat = () => recorder.next(`hotcast.${cluster.cookie}.event.${canary.node}.heartbeat`);
    const fail = () => cluster.call('failing.fail()', '--node', canary.node);
    await fail();
    await fail();
    await nextHeartbeat();
    await nextHeartbeat();
    expect((await cluster.history('failing'))[0]?.canary).not.toBeNull();

    await fail();
    const { exitCode, result } = await canary.push;
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 1, outcome: 'rolled-back' });
    expect(result.detail).toMatch(/^rolled back: failing: 3 of 3 calls failed; 3 calls, 3 errors in \d+(\.\d)? s$/);
    await expectRolledBack(cluster, 'failing', canary, /^automatic rollback: 3 of 3 calls failed$/);
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'failing')).toEqual([canary.before]);
  });

  it('is rolled back when its node is killed', async ({ cluster }) => {
    const canary = await startCanary(cluster, 'deadly');
    await cluster.kill(canary.node);
    const { exitCode, result } = await canary.push;
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 1, outcome: 'rolled-back' });
    await expectRolledBack(cluster, 'deadly', canary, new RegExp(`: ${canary.node} went silent$`));
    await cluster.startContainer(canary.node);
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'deadly')).toEqual([canary.before]);
  });

  it('is rolled back when its node crashes and restarts', async ({ cluster }) => {
    const canary = await startCanary(cluster, 'reborn');
    const node = (await cluster.nodes()).find(each => each.node === canary.node);
    if (node?.status !== 'present') throw new TypeError(`${canary.node} is silent`);
    // The process crashes, and the engine restarts the container.
    await cluster.exec(canary.node, ['sh', '-c', `kill -9 ${node.pid}`]);
    expect((await canary.push).result.outcome).toBe('rolled-back');
    await expectRolledBack(
      cluster,
      'reborn',
      canary,
      new RegExp(`: ${canary.node} (died and was started again|went silent)$`),
    );
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'reborn')).toEqual([canary.before]);
  });

  it('is rolled back when its node stalls', async ({ cluster }) => {
    const canary = await startCanary(cluster, 'stalling');
    // A node is silent after three missed heartbeats. Right after one, the stall ends long before.
    await using recorder = await SubjectRecorder.start(await cluster.natsOptions(), '>');
    await recorder.next(`hotcast.${cluster.cookie}.event.${canary.node}.heartbeat`);
    await cluster.call('stalling.stall()', '--node', canary.node);
    expect((await canary.push).result.outcome).toBe('rolled-back');
    await expectRolledBack(cluster, 'stalling', canary, new RegExp(`: ${canary.node} stalled for \\d{4,} ms$`));
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'stalling')).toEqual([canary.before]);
  });

  it('stays open when its watch is interrupted, which says so, and is rolled back when it fails later', async ({
    cluster,
  }) => {
    cluster.writeModule('left', versionSource('one'));
    const { revision } = await cluster.push('left');
    cluster.writeModule('left', faulty('two'));
    const startedAt = Date.now();
    const command = 'echo $$ > /tmp/pushing; exec hotcast push left --canary betty --watch 60s';
    const push = cluster.exec('controller', ['sh', '-c', command]);
    await cluster.waitForLog('betty', ({ msg, module }) => msg === 'loaded' && module === 'left', startedAt);
    // The watch begins when every node has answered.
    await expect.poll(() => cluster.history('left')).toMatchObject([{ outcome: { verdict: 'committed' } }, {}]);
    await cluster.exec('controller', ['sh', '-c', 'kill -INT $(cat /tmp/pushing)']);
    expect(await push).toMatchObject({ exitCode: 130, stderr: expect.stringMatching(INTERRUPTED) as string });

    await cluster.call('left.fail()', '--node', 'betty');
    await expect
      .poll(() => cluster.history('left'))
      .toMatchObject([{ note: 'automatic rollback: 1 of 1 calls failed' }, { note: 'canary on betty' }, {}]);
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'left')).toEqual([revision]);
    await expect
      .poll(async () => (await cluster.hotcast('audit')).stdout)
      .toMatch(/hotcast +rollback \(canary\) +left@\w+ +committed +automatic rollback: 1 of 1 calls failed\n/);
  });

  it('is rolled back by the next controller when the one that pushed it was killed', async ({ cluster }) => {
    const canary = await startCanary(cluster, 'inherited');
    await cluster.kill('controller');
    await canary.push.catch(() => undefined);
    await cluster.startContainer('controller');
    await cluster.call('inherited.fail()', '--node', canary.node);
    await expectRolledBack(cluster, 'inherited', canary, /^automatic rollback: 1 of 1 calls failed$/);
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'inherited')).toEqual([canary.before]);
  });

  it('on a percentage of the nodes includes nodes that join later', async ({ cluster }) => {
    cluster.writeModule('shared', versionSource('one'));
    const one = await cluster.push('shared');
    cluster.writeModule('shared', versionSource('two'));
    const two = await cluster.push('shared', '--canary', '50%', '--watch', '100ms', '--min-calls', '0');
    const scope = (await cluster.history('shared'))[0]?.canary?.scope;
    if (scope === undefined) throw new TypeError('the canary has no scope');
    // The scope of 50% includes barney and not dino.
    await Promise.all([cluster.addNode('barney', 'node-5'), cluster.addNode('dino', 'node-7')]);
    expect([inScope(scope, 'barney'), inScope(scope, 'dino')]).toEqual([true, false]);

    const expected = [...cluster.nodeNames, 'barney', 'dino'].map(node => [
      node,
      shortRevision(inScope(scope, node) ? two.revision : one.revision),
    ]);
    const actual = Object.entries(await cluster.revisions()).map(([node, modules]) => [
      node,
      shortRevision(modules?.['shared'] ?? ''),
    ]);
    expect(Object.fromEntries(actual)).toEqual(Object.fromEntries(expected));
    await waitForConvergence(cluster);

    expect((await cluster.change('rollback', 'shared')).exitCode).toBe(0);
    expect(await runningRevisions(cluster, 'shared')).toEqual([one.revision]);
  });
});
