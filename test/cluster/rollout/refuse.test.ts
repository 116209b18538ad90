import { describe, expect } from 'vitest';

import type { Cluster } from '../../support/cluster.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { BAD_ON_NODES } from '../../support/sources.ts';

const it = clusterTest({ nodes: 3 });

const GOOD = `export function answer() { return 'good'; }\n`;

/** What bambam alone can't load. */
async function badOnBambam(cluster: Cluster): Promise<string> {
  const { Id } = await (await cluster.container('bambam')).inspect();
  return `
    import { hostname } from 'node:os';
    if (hostname() === '${Id.slice(0, 12)}') throw new RangeError('not on bambam');
    export function answer() { return 'bad'; }
  `;
}

describe('refuse', () => {
  it('shows file, line and caret of what does not compile, and changes nothing', async ({ cluster }) => {
    cluster.writeModule('typo', GOOD);
    await cluster.push('typo');
    const before = await cluster.revisions();
    cluster.writeModule('typo', 'export function answer() {\n\treturn 4 +* 5;\n}\n');
    for (const command of [
      ['push', 'typo'],
      ['compile', 'typo', '--node', 'fred'],
    ]) {
      expect(await cluster.hotcast(...command)).toMatchObject({
        exitCode: 2,
        stdout: '',
        stderr: [
          'hotcast: typo does not compile; nothing was sent',
          'modules/typo.ts:2:12: Unexpected "*"',
          '  2 | \treturn 4 +* 5;',
          '      \t          ^',
          '',
        ].join('\n'),
      });
    }
    expect(await cluster.revisions()).toEqual(before);
  });

  it('names the import that leads nowhere', async ({ cluster }) => {
    const before = await cluster.revisions();
    cluster.writeModule('lost', `import { x } from './nowhere.ts';\nexport const y = () => x;\n`);
    expect(await cluster.hotcast('push', 'lost')).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: [
        'hotcast: lost does not compile; nothing was sent',
        'modules/lost.ts:1:19: Could not resolve "./nowhere.ts"',
        `  1 | import { x } from './nowhere.ts';`,
        `                        ^^^^^^^^^^^^^^`,
        '',
      ].join('\n'),
    });
    expect(await cluster.revisions()).toEqual(before);
  });

  it('keeps the old version where the new one throws while it loads', async ({ cluster }) => {
    cluster.writeModule('thrower', GOOD);
    const good = await cluster.push('thrower');
    const before = await cluster.revisions();
    cluster.writeModule('thrower', BAD_ON_NODES + GOOD);
    const { exitCode, result } = await cluster.push('thrower');
    expect(exitCode).toBe(1);
    expect(result).toMatchObject({
      outcome: 'reverted',
      nodes: cluster.names.map(node => ({
        node,
        status: 'refused',
        reason: 'on_load_failure',
        detail: 'RangeError: not today',
      })),
    });
    expect(await cluster.revisions()).toEqual(before);
    const called = await cluster.call('thrower.answer()');
    expect(called.result.nodes).toMatchObject(
      cluster.names.map(node => ({ node, json: '"good"', revision: good.revision })),
    );
  });

  it('sends every node back when one alone cannot load the new version', async ({ cluster }) => {
    cluster.writeModule('alone', GOOD);
    await cluster.push('alone');
    const before = await cluster.revisions();
    cluster.writeModule('alone', await badOnBambam(cluster));
    const { exitCode, stdout } = await cluster.hotcast('push', 'alone');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^bambam +refused +on_load_failure: RangeError: not on bambam$/m);
    expect(stdout).toMatch(/^alone@[0-9a-f]{12} reverted · 2 loaded · 1 refused · /m);
    expect(stdout).toMatch(/^a node could not load it, so on every node alone is back on [0-9a-f]{12}$/m);
    expect(await cluster.revisions()).toEqual(before);
    const called = await cluster.call('alone.answer()');
    expect(called.result.nodes).toMatchObject(cluster.names.map(node => ({ node, json: '"good"' })));
  });

  it('takes a new module off every node when one alone cannot load it', async ({ cluster }) => {
    const before = await cluster.revisions();
    cluster.writeModule('newcomer', await badOnBambam(cluster));
    const { exitCode, result } = await cluster.push('newcomer');
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 1, outcome: 'reverted' });
    expect(await cluster.revisions()).toEqual(before);
    const called = await cluster.call('newcomer.answer()');
    expect(called.result.nodes).toMatchObject(cluster.names.map(node => ({ node, failure: 'undef' })));
  });

  it('puts back the data that a version changed before it threw', async ({ cluster }) => {
    const good = `
      import.meta.hot.data.count ??= 7;
      export function count() { return import.meta.hot.data.count; }
    `;
    cluster.writeModule('state', good);
    await cluster.push('state');
    cluster.writeModule('state', `import.meta.hot.data.count = 0; ${BAD_ON_NODES}${good}`);
    expect((await cluster.push('state')).exitCode).toBe(1);
    const { result } = await cluster.call('state.count()');
    expect(result.nodes).toMatchObject(cluster.names.map(node => ({ node, json: '7' })));
  });
});
