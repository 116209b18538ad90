import { describe, expect } from 'vitest';

import type { PushResult } from '../../../controller/src/api/results.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { inScope } from '../../../protocol/canary-scope.ts';
import type { Cluster } from '../../support/cluster.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import type { Answered } from '../../support/hotcast.ts';
import { onHeads, running } from '../../support/on-heads.ts';
import { version } from '../../support/sources.ts';
import { Wire } from '../../support/wire.ts';

const it = clusterTest({ nodes: 4 });

/** What a canary does wrong when it is asked to. */
const faulty = (name: string): string => `
  ${version(name)}
  export function fail() { throw new Error('a bad canary'); }
  export function stall() { for (const start = Date.now(); Date.now() - start < 3_000; ); }
`;

interface Canary {
  /** The one node that it is on. */
  readonly node: string;
  readonly before: string;
  readonly revision: string;
  /** How the push ends. */
  readonly push: Promise<Answered<PushResult>>;
}

/** Has every node run one version, and starts a canary of a faulty one on one node; it runs when this resolves. */
async function startCanary(cluster: Cluster, module: string, ...options: string[]): Promise<Canary> {
  cluster.writeModule(module, version('one'));
  const { revision: before } = await cluster.push(module);
  cluster.writeModule(module, faulty('two'));
  const startedAt = Date.now();
  const push = cluster.push(module, '--canary', '1', '--watch', '60s', ...options);
  push.catch(() => undefined); // Told by who waits for it.
  const loaded = cluster.names.map(async node => {
    const line = await cluster.logged(node, each => each.msg === 'loaded' && each.module === module, startedAt);
    return { node, line };
  });
  const { node, line } = await Promise.any(loaded);
  for (const waiting of loaded) waiting.catch(() => undefined);
  return { node, before, revision: line.revision ?? '', push };
}

/** Expects that a canary was rolled back: said aloud, in the history, and seen on every node. */
async function expectRolledBack(cluster: Cluster, module: string, { before }: Canary, why: RegExp): Promise<void> {
  await expect
    .poll(() => cluster.history(module), { timeout: 20_000 })
    .toMatchObject([
      {
        revision: before,
        canary: null,
        author: 'hotcast',
        note: expect.stringMatching(why) as string,
        outcome: { verdict: 'committed' },
      },
      { revision: before, canary: { maxErrors: expect.any(Number) as number }, note: 'canary on 1' },
      { revision: before, canary: null },
    ]);
}

describe('a canary', () => {
  it('runs on one node while the others keep, until it is promoted', async ({ cluster }) => {
    cluster.writeModule('bird', version('one'));
    const one = await cluster.push('bird');
    cluster.writeModule('bird', version('two'));
    const two = await cluster.push('bird', '--canary', '1', '--watch', '100ms');
    expect(two.exitCode).toBe(0);
    expect(two.result.outcome).toBe('committed');
    expect(two.result.detail).toMatch(/^the canary is well: 0 of 0 calls failed in \d+ s; .* hotcast promote bird$/);
    const [loaded, ...others] = two.result.nodes.toSorted((a, b) => b.status.localeCompare(a.status));
    expect([loaded, ...others].map(each => each?.status)).toEqual(['loaded', 'kept', 'kept', 'kept']);
    const status = await cluster.status();
    expect(status.exitCode).toBe(0);
    expect(status.result.nodes).toEqual(
      cluster.names.map(node => {
        const canary = node === loaded?.node;
        const revision = canary ? two.revision : one.revision;
        return { module: 'bird', node, desired: revision, running: revision, canary, state: 'ok' };
      }),
    );

    const promoted = await cluster.change('promote', 'bird');
    expect({ exitCode: promoted.exitCode, outcome: promoted.result.outcome }).toEqual({
      exitCode: 0,
      outcome: 'committed',
    });
    expect(await running(cluster, 'bird')).toEqual([two.revision]);
    await cluster.change('remove', 'bird');
  });

  it('goes back by itself when more of its calls fail than it may', async ({ cluster }) => {
    const canary = await startCanary(cluster, 'failing', '--max-errors', '2');
    await using wire = await Wire.tap(await cluster.natsOptions(), '>');
    const told = () => wire.next(`hotcast.${cluster.cookie}.event.${canary.node}.heartbeat`);
    const fail = () => cluster.call('failing.fail()', '--node', canary.node);
    await fail();
    await fail();
    await told();
    await told();
    expect((await cluster.history('failing'))[0]?.canary).not.toBeNull();

    await fail();
    const { exitCode, result } = await canary.push;
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 1, outcome: 'rolled-back' });
    expect(result.detail).toBe('rolled back: failing: 3 of 3 calls failed');
    await expectRolledBack(cluster, 'failing', canary, /^automatic rollback: 3 of 3 calls failed$/);
    await onHeads(cluster);
    expect(await running(cluster, 'failing')).toEqual([canary.before]);
  });

  it('goes back by itself when its node is killed', async ({ cluster }) => {
    const canary = await startCanary(cluster, 'deadly');
    await cluster.kill(canary.node);
    const { exitCode, result } = await canary.push;
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 1, outcome: 'rolled-back' });
    await expectRolledBack(cluster, 'deadly', canary, new RegExp(`: ${canary.node} was not heard any more$`));
    await cluster.startAgain(canary.node);
    await onHeads(cluster);
    expect(await running(cluster, 'deadly')).toEqual([canary.before]);
  });

  it('goes back by itself when its node crashes and is started again', async ({ cluster }) => {
    const canary = await startCanary(cluster, 'reborn');
    const node = (await cluster.nodes()).find(each => each.node === canary.node);
    if (node?.status !== 'present') throw new TypeError(`${canary.node} is not there`);
    // Its process crashes, and the engine starts it again.
    await cluster.exec(canary.node, ['sh', '-c', `kill -9 ${node.pid}`]);
    expect((await canary.push).result.outcome).toBe('rolled-back');
    await expectRolledBack(cluster, 'reborn', canary, new RegExp(`: ${canary.node} died and was started again$`));
    await onHeads(cluster);
    expect(await running(cluster, 'reborn')).toEqual([canary.before]);
  });

  it('goes back by itself when its node stalls', async ({ cluster }) => {
    const canary = await startCanary(cluster, 'stalling');
    await cluster.call('stalling.stall()', '--node', canary.node);
    expect((await canary.push).result.outcome).toBe('rolled-back');
    await expectRolledBack(cluster, 'stalling', canary, new RegExp(`: ${canary.node} stalled for \\d{4,} ms$`));
    await onHeads(cluster);
    expect(await running(cluster, 'stalling')).toEqual([canary.before]);
  });

  it('goes back by itself when whoever pushed it is gone', async ({ cluster }) => {
    cluster.writeModule('left', version('one'));
    const { revision } = await cluster.push('left');
    cluster.writeModule('left', faulty('two'));
    const startedAt = Date.now();
    const command = 'echo $$ > /tmp/pushing; exec hotcast push left --canary betty --watch 60s';
    const push = cluster.exec('controller', ['sh', '-c', command]);
    await cluster.logged('betty', ({ msg, module }) => msg === 'loaded' && module === 'left', startedAt);
    await cluster.exec('controller', ['sh', '-c', 'kill -9 $(cat /tmp/pushing)']);
    expect((await push).exitCode).toBe(137);

    await cluster.call('left.fail()', '--node', 'betty');
    await expect
      .poll(() => cluster.history('left'), { timeout: 20_000 })
      .toMatchObject([{ note: 'automatic rollback: 1 of 1 calls failed' }, { note: 'canary on betty' }, {}]);
    await onHeads(cluster);
    expect(await running(cluster, 'left')).toEqual([revision]);
  });

  it('goes back by itself when the controller that pushed it was killed', async ({ cluster }) => {
    const canary = await startCanary(cluster, 'inherited');
    await cluster.kill('controller');
    await canary.push.catch(() => undefined);
    await cluster.startAgain('controller');
    await cluster.call('inherited.fail()', '--node', canary.node);
    await expectRolledBack(cluster, 'inherited', canary, /^automatic rollback: 1 of 1 calls failed$/);
    await onHeads(cluster);
    expect(await running(cluster, 'inherited')).toEqual([canary.before]);
  });

  it('of a share is for nodes that join later too, by their place', async ({ cluster }) => {
    cluster.writeModule('shared', version('one'));
    const one = await cluster.push('shared');
    cluster.writeModule('shared', version('two'));
    const two = await cluster.push('shared', '--canary', '50%', '--watch', '100ms');
    const scope = (await cluster.history('shared'))[0]?.canary?.scope;
    if (scope === undefined) throw new TypeError('the canary has no scope');
    // barney is in half of the fleet, dino is not.
    await Promise.all([cluster.addNode('barney', 'node-5'), cluster.addNode('dino', 'node-7')]);
    expect([inScope(scope, 'barney'), inScope(scope, 'dino')]).toEqual([true, false]);

    const expected = [...cluster.names, 'barney', 'dino'].map(node => [
      node,
      shortRevision(inScope(scope, node) ? two.revision : one.revision),
    ]);
    const actual = Object.entries(await cluster.revisions()).map(([node, modules]) => [
      node,
      shortRevision(modules?.['shared'] ?? ''),
    ]);
    expect(Object.fromEntries(actual)).toEqual(Object.fromEntries(expected));
    await onHeads(cluster);

    expect((await cluster.change('rollback', 'shared')).exitCode).toBe(0);
    expect(await running(cluster, 'shared')).toEqual([one.revision]);
  });
});
