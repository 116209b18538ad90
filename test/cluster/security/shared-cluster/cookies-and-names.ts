import { describe, expect } from 'vitest';

import type { NodesResult } from '../../../../controller/src/api/results.ts';
import { SubjectRecorder } from '../../../support/cluster/subject-recorder.ts';
import { it } from './cluster.ts';

describe('a node with another cookie', () => {
  it('gets nothing, answers nothing, and is not listed', async ({ cluster }) => {
    const cookie = `${cluster.cookie}-3`;
    await cluster.addNode('other-cookie', 'node-9', { cookie });
    await using recorder = await SubjectRecorder.start(await cluster.natsOptions(), `hotcast.${cookie}.>`);

    // NATS has restarted, because the cookie is new to it. The nodes possibly reconnect later than the other node.
    const { nodeNames } = cluster;
    expect(
      (await cluster.nodes('--wait', String(nodeNames.length), '--timeout', '60')).map(({ node }) => node),
    ).toEqual(nodeNames);
    const pushed = await cluster.push('demo', '--force');
    expect(pushed.exitCode).toBe(0);
    expect(pushed.result.nodes.map(({ node }) => node)).toEqual(nodeNames);
    const called = await cluster.call('demo.add(4, 5)');
    expect(called.result.nodes.map(({ node }) => node)).toEqual(nodeNames);
    expect(await cluster.hotcast('ping', 'rubble')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(nodeNames.join(', ')) as string,
    });
    await recorder.flush();
    // The only messages under its cookie are its own events.
    expect(recorder.subjects.filter(subject => !subject.startsWith(`hotcast.${cookie}.event.`))).toEqual([]);

    const hotcast = await cluster.addController(cookie);
    const { stdout } = await hotcast('nodes', '--wait', '1', '--timeout', '60', '--json');
    const { nodes } = JSON.parse(stdout) as NodesResult;
    expect(nodes).toMatchObject([{ status: 'present', modules: {} }]);
  });
});

describe('two containers with the same name', () => {
  it('get two names, and keep them after a restart', async ({ cluster }) => {
    await cluster.addNode('twin', 'node_1');
    const twin = await cluster.container('twin');
    const name = `fred-${twin.id.slice(0, 6)}`;
    const names = [...cluster.nodeNames, name].toSorted();
    expect((await cluster.nodes()).map(({ node }) => node).toSorted()).toEqual(names);

    const restartedAt = Date.now();
    await twin.restart({ t: 10 });
    await cluster.waitForLog('twin', ({ msg, node }) => msg === 'ready' && node === name, restartedAt);
    const nodes = await cluster.nodes();
    expect(nodes.map(({ node }) => node).toSorted()).toEqual(names);
    const fred = await cluster.container('fred');
    const containerOf = (wanted: string) => nodes.find(({ node }) => node === wanted)?.container;
    expect([containerOf('fred'), containerOf(name)]).toEqual([fred.id.slice(0, 12), twin.id.slice(0, 12)]);
    // It publishes its goodbye, so that later pushes do not expect it.
    await twin.stop({ t: 10 });
    await twin.remove({ v: true });
  });
});

describe('a push without the roster', () => {
  it('expects the nodes that are present on NATS, and prints a warning', async ({ cluster }) => {
    const roster = await cluster.container('roster');
    await roster.stop({ t: 10 });
    const { exitCode, stderr, result } = await cluster.push('counter');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringMatching(/^warning: the roster [^\n]*\n/) as string,
    });
    expect(result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, status: 'loaded' })));
    await cluster.startContainer('roster');
  });
});
