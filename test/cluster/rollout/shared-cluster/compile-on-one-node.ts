import { describe, expect } from 'vitest';

import { shortRevision } from '../../../../protocol/revision.ts';
import { THROWS_ON_NODES } from '../../../support/cluster/module-sources.ts';
import { it } from './cluster.ts';

describe('compile', () => {
  it('loads a module on the named node and on no other', async ({ cluster }) => {
    cluster.writeModule('solo', 'export const add = (x: number, y: number): number => x + y;\n');
    const before = await cluster.revisions();
    const compiled = await cluster.compile('solo', 'fred');
    expect(compiled.exitCode).toBe(0);
    expect(compiled.result.nodes).toMatchObject([{ node: 'fred', status: 'loaded' }]);
    const { revision } = compiled.result;
    expect(await cluster.revisions()).toEqual({ ...before, fred: { ...before['fred'], solo: revision } });

    expect(await cluster.hotcast('call', 'solo.add(1, 2)', '--node', 'fred')).toMatchObject({
      exitCode: 0,
      stdout: '3\n',
    });
    expect(await cluster.hotcast('call', 'solo.add(4, 5)', '--node', 'betty')).toMatchObject({
      exitCode: 1,
      stdout: 'betty  undef: module solo is not loaded on node betty\n',
      stderr: '',
    });
  });

  it('prints {ok, module, revision}, as Erlang does', async ({ cluster }) => {
    const { exitCode, stdout } = await cluster.hotcast('compile', 'counter', '--node', 'betty');
    const { betty } = await cluster.revisions();
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `{ok, counter, ${shortRevision(betty?.['counter'] ?? '')}}\n`,
    });
  });

  it('is replaced by the next push on every node', async ({ cluster }) => {
    cluster.writeModule('trial', `export function version() { return 'tried on fred'; }\n`);
    await cluster.compile('trial', 'fred');
    cluster.writeModule('trial', `export function version() { return 'pushed'; }\n`);
    await cluster.push('trial');
    const { result } = await cluster.call('trial.version()');
    expect(result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, json: '"pushed"' })));
  });

  it('keeps the old version when the new one throws while it loads', async ({ cluster }) => {
    cluster.writeModule('solo-thrower', `export function answer() { return 'good'; }\n`);
    await cluster.compile('solo-thrower', 'bambam');
    const before = await cluster.revisions();
    cluster.writeModule('solo-thrower', `${THROWS_ON_NODES}export function answer() {}\n`);
    expect(await cluster.hotcast('compile', 'solo-thrower', '--node', 'bambam')).toMatchObject({
      exitCode: 1,
      stdout: 'bambam  refused  on_load_failure: RangeError: not today\n',
      stderr: '',
    });
    expect(await cluster.revisions()).toEqual(before);
  });
});
