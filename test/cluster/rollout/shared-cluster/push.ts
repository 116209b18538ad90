import { readFileSync } from 'node:fs';

import { describe, expect } from 'vitest';

import { shortRevision } from '../../../../protocol/revision.ts';
import type { Cluster } from '../../../support/cluster/cluster.ts';
import { versionSource } from '../../../support/cluster/module-sources.ts';
import { duringPush } from '../../../support/cluster/during-push.ts';
import { it } from './cluster.ts';

/** The identity of each node's process: as the node and as the engine report it. */
async function processes(cluster: Cluster): Promise<unknown[]> {
  const own = (await cluster.nodes()).map(node =>
    node.status === 'present' ? [node.node, node.container, node.pid, node.startedAt] : [node.node],
  );
  const engines = cluster.nodeNames.map(async name => {
    const { Id, State, RestartCount } = await (await cluster.container(name)).inspect();
    return [name, Id, State.Pid, State.StartedAt, RestartCount];
  });
  return [...own, ...(await Promise.all(engines))];
}

describe('push', () => {
  it('loads a module on every node', async ({ cluster }) => {
    const { exitCode, stderr, result, revision } = await cluster.push('demo');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(result.outcome).toBe('committed');
    expect(result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, status: 'loaded' })));

    const called = await cluster.call('demo.add(4, 5)');
    expect(called.exitCode).toBe(0);
    expect(called.result.nodes).toMatchObject(
      cluster.nodeNames.map(node => ({ node, status: 'value', json: '9', revision })),
    );
  });

  it('prints one line for each node, then the total', async ({ cluster }) => {
    cluster.writeModule('printed', versionSource('one'));
    const { exitCode, stdout } = await cluster.hotcast('push', 'printed');
    const lines = stdout.trimEnd().split('\n');
    expect(exitCode).toBe(0);
    expect(lines.slice(0, 3)).toEqual([
      expect.stringMatching(/^fred +loaded +[\d.]+ ms$/),
      expect.stringMatching(/^bambam +loaded +[\d.]+ ms$/),
      expect.stringMatching(/^betty +loaded +[\d.]+ ms$/),
    ]);
    expect(lines[3]).toMatch(/^printed@[0-9a-f]{12} committed · 3 loaded · p50 [\d.]+ ms · max [\d.]+ ms$/);
  });

  it('restarts no process', async ({ cluster }) => {
    const before = await processes(cluster);
    for (const name of ['one', 'two', 'three']) {
      cluster.writeModule('process', versionSource(name));
      expect((await cluster.push('process')).exitCode).toBe(0);
    }
    expect(await processes(cluster)).toEqual(before);
  });

  it('replaces the revision that was pushed before', async ({ cluster }) => {
    cluster.writeModule('again', versionSource('one'));
    const first = await cluster.push('again');
    cluster.writeModule('again', versionSource('two'));
    const second = await cluster.push('again');
    expect(second.revision).not.toBe(first.revision);

    const { result } = await cluster.call('again.version()');
    expect(result.nodes).toMatchObject(
      cluster.nodeNames.map(node => ({ node, json: '"two"', revision: second.revision })),
    );
  });

  it('gives the same source the same revision', async ({ cluster }) => {
    const revisions: string[] = [];
    for (const name of ['one', 'two', 'one']) {
      cluster.writeModule('same', versionSource(name));
      revisions.push((await cluster.push('same')).revision);
    }
    expect(revisions[2]).toBe(revisions[0]);
    expect(revisions[1]).not.toBe(revisions[0]);
    const { result } = await cluster.call('same.version()');
    expect(result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, json: '"one"' })));
  });

  it('keeps the state in import.meta.hot.data', async ({ cluster }) => {
    const counter = readFileSync(new URL('../../../../modules/counter.ts', import.meta.url), 'utf8');
    await cluster.push('counter');
    await cluster.call('counter.increment(2)');
    await cluster.call('counter.increment(3)', '--node', 'fred');

    cluster.writeModule('counter', `${counter}\nexport function doubled() { return current() * 2; }\n`);
    expect((await cluster.push('counter')).exitCode).toBe(0);
    const { result } = await cluster.call('counter.doubled()');
    expect(result.nodes).toMatchObject([
      { node: 'fred', json: '10' },
      { node: 'bambam', json: '4' },
      { node: 'betty', json: '4' },
    ]);
  });

  it('bundles a folder with an index.ts and its imports', async ({ cluster }) => {
    cluster.writeFile('folder/index.ts', `export { origin } from './inner.ts';\n`);
    cluster.writeFile('folder/inner.ts', `export function origin() { return 'inner'; }\n`);
    expect((await cluster.push('folder')).exitCode).toBe(0);
    const { result } = await cluster.call('folder.origin()', '--node', 'betty');
    expect(result.nodes).toMatchObject([{ node: 'betty', json: '"inner"' }]);
  });

  it('runs an npm package that has just been installed', async ({ cluster }) => {
    cluster.writeFile('node_modules/tiny/package.json', '{ "name": "tiny", "main": "main.js" }');
    cluster.writeFile('node_modules/tiny/main.js', `exports.shout = text => text.toUpperCase() + '!';\n`);
    const source = `import { shout } from 'tiny';\nexport function yell(text: string) { return shout(text); }\n`;
    cluster.writeModule('packaged', source);
    expect((await cluster.push('packaged')).exitCode).toBe(0);
    const { result } = await cluster.call('packaged.yell("yabba dabba doo")');
    expect(result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, json: '"YABBA DABBA DOO!"' })));
  });
});

describe('nodes', () => {
  it('shows the modules and revisions of each node', async ({ cluster }) => {
    cluster.writeModule('shown', versionSource('one'));
    const { revision } = await cluster.push('shown');
    const { stdout } = await cluster.hotcast('nodes');
    const [head, ...rows] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/^NODE +CONTAINER +PID +STARTED +UPTIME +MEMORY +CLOCK +MODULES$/);
    expect(rows.map(row => row.split(' ')[0])).toEqual(cluster.nodeNames);
    for (const row of rows) expect(row).toContain(`shown@${shortRevision(revision)}`);
  });
});

describe('a push that is interrupted before it is committed', () => {
  it('says that nothing was changed, and how to go on', async ({ cluster }) => {
    cluster.writeModule('cut', 'export const x = 1;\n');
    const command = 'echo $$ > /tmp/cut; exec hotcast push cut --timeout 60s';
    const pushed = await duringPush(
      cluster,
      { pausedNode: 'betty', others: 2 },
      () => cluster.exec('controller', ['sh', '-c', command]),
      async () => {
        await cluster.exec('controller', ['sh', '-c', 'kill -INT $(cat /tmp/cut)']);
      },
    );
    const stderr = 'hotcast: interrupted: nothing was changed on any node; to go on, run the command again\n';
    expect(pushed).toMatchObject({ exitCode: 130, stdout: '', stderr });
    expect(await cluster.hotcast('history', 'cut')).toMatchObject({ exitCode: 2 });
  });
});
