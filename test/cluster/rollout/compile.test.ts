import { describe, expect } from 'vitest';

import { shortRevision } from '../../../protocol/revision.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { BAD_ON_NODES } from '../../support/sources.ts';

const it = clusterTest({ nodes: 3 });

describe('compile', () => {
  it('loads a module on the node that is named, and on no other', async ({ cluster }) => {
    const compiled = await cluster.compile('demo', 'fred');
    expect(compiled.exitCode).toBe(0);
    expect(compiled.result.nodes).toMatchObject([{ node: 'fred', status: 'loaded' }]);
    const { revision } = compiled.result;
    expect(await cluster.revisions()).toEqual({ fred: { demo: revision }, bambam: {}, betty: {} });

    expect(await cluster.hotcast('call', 'demo.add(1, 2)', '--node', 'fred')).toMatchObject({
      exitCode: 0,
      stdout: '3\n',
    });
    expect(await cluster.hotcast('call', 'demo.add(4, 5)', '--node', 'betty')).toMatchObject({
      exitCode: 1,
      stdout: 'betty  undef: module demo is not loaded on node betty\n',
      stderr: '',
    });
  });

  it('answers as Erlang does', async ({ cluster }) => {
    const { exitCode, stdout } = await cluster.hotcast('compile', 'counter', '--node', 'betty');
    const { betty } = await cluster.revisions();
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `{ok, counter, ${shortRevision(betty?.['counter'] ?? '')}}\n`,
    });
  });

  it('gives way to the next push', async ({ cluster }) => {
    cluster.writeModule('trial', `export function version() { return 'tried on fred'; }\n`);
    await cluster.compile('trial', 'fred');
    cluster.writeModule('trial', `export function version() { return 'pushed'; }\n`);
    await cluster.push('trial');
    const { result } = await cluster.call('trial.version()');
    expect(result.nodes).toMatchObject(cluster.names.map(node => ({ node, json: '"pushed"' })));
  });

  it('keeps the old version where the new one throws while it loads', async ({ cluster }) => {
    cluster.writeModule('thrower', `export function answer() { return 'good'; }\n`);
    await cluster.compile('thrower', 'bambam');
    const before = await cluster.revisions();
    cluster.writeModule('thrower', `${BAD_ON_NODES}export function answer() {}\n`);
    expect(await cluster.hotcast('compile', 'thrower', '--node', 'bambam')).toMatchObject({
      exitCode: 1,
      stdout: 'bambam  refused  on_load_failure: RangeError: not today\n',
      stderr: '',
    });
    expect(await cluster.revisions()).toEqual(before);
  });
});
