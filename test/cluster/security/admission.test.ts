import { describe, expect } from 'vitest';

import type { NodesResult } from '../../../controller/src/api/results.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { Wire } from '../../support/wire.ts';

const it = clusterTest({ nodes: 2 });

describe('belong', () => {
  it('is by cookie: a node with another one gets nothing, answers nothing and is told nothing', async ({ cluster }) => {
    const cookie = `${cluster.cookie}-2`;
    await cluster.addNode('stranger', 'node-9', { cookie });
    await using wire = await Wire.tap(await cluster.natsOptions(), `hotcast.${cookie}.>`);

    // NATS was started again to know the other cookie, and these may come back later than the stranger came.
    expect((await cluster.nodes('--wait', '2')).map(({ node }) => node)).toEqual(cluster.names);
    const pushed = await cluster.push('demo');
    expect(pushed.exitCode).toBe(0);
    expect(pushed.result.nodes.map(({ node }) => node)).toEqual(cluster.names);
    const called = await cluster.call('demo.add(4, 5)');
    expect(called.result.nodes.map(({ node }) => node)).toEqual(cluster.names);
    expect(await cluster.hotcast('ping', 'rubble')).toMatchObject({
      exitCode: 2,
      stderr: 'hotcast: there is no node "rubble"; nodes here: fred, bambam\n',
    });
    await wire.settled();
    // All that is said under its cookie is what it says of itself.
    expect(wire.subjects.filter(subject => !subject.startsWith(`hotcast.${cookie}.event.`))).toEqual([]);

    const elsewhere = await cluster.addController(cookie);
    const { stdout } = await elsewhere('nodes', '--wait', '1', '--json');
    const { nodes } = JSON.parse(stdout) as NodesResult;
    expect(nodes).toMatchObject([{ status: 'present', modules: {} }]);
  });

  it('gives two containers that want one name two names, which they keep', async ({ cluster }) => {
    await cluster.addNode('twin', 'twin-node-1');
    const twin = await cluster.container('twin');
    const name = `fred-${twin.id.slice(0, 6)}`;
    const names = ['fred', 'bambam', name];
    expect((await cluster.nodes()).map(({ node }) => node)).toEqual(names);

    const restartedAt = Date.now();
    await twin.restart({ t: 10 });
    await cluster.logged('twin', ({ msg, node }) => msg === 'ready' && node === name, restartedAt);
    const nodes = await cluster.nodes();
    expect(nodes.map(({ node }) => node)).toEqual(names);
    const fred = await cluster.container('fred');
    expect(nodes.map(({ container }) => container)).toEqual([
      fred.id.slice(0, 12),
      expect.any(String),
      twin.id.slice(0, 12),
    ]);
    // It says goodbye, so that nobody waits for it.
    await twin.stop({ t: 10 });
    await twin.remove({ v: true });
  });

  it('is asked of NATS alone, with a warning, when the roster is gone', async ({ cluster }) => {
    const roster = await cluster.container('roster');
    await roster.stop({ t: 10 });
    const { exitCode, stderr, result } = await cluster.push('counter');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: 'warning: the roster does not answer; only nodes that are present on NATS are expected to answer\n',
    });
    expect(result.nodes).toMatchObject(cluster.names.map(node => ({ node, status: 'loaded' })));
    await roster.start();
  });
});
