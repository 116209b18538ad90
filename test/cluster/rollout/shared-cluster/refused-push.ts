import { describe, expect } from 'vitest';

import { THROWS_ON_NODES, throwsOnNode, versionSource } from '../../../support/cluster/module-sources.ts';
import { it } from './cluster.ts';

const GOOD = `export function answer() { return 'good'; }\n`;

describe('a push of a module that does not load', () => {
  it('shows file, line and caret of a syntax error, and changes nothing', async ({ cluster }) => {
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

  it('names an import that does not exist', async ({ cluster }) => {
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

  it('keeps the old version on every node when the new one throws while it loads', async ({ cluster }) => {
    cluster.writeModule('thrower', GOOD);
    const good = await cluster.push('thrower');
    const before = await cluster.revisions();
    cluster.writeModule('thrower', THROWS_ON_NODES + GOOD);
    const { exitCode, result } = await cluster.push('thrower');
    expect(exitCode).toBe(1);
    expect(result).toMatchObject({
      outcome: 'reverted',
      nodes: cluster.nodeNames.map(node => ({
        node,
        status: 'refused',
        reason: 'on_load_failure',
        detail: 'RangeError: not today',
      })),
    });
    expect(await cluster.revisions()).toEqual(before);
    const called = await cluster.call('thrower.answer()');
    expect(called.result.nodes).toMatchObject(
      cluster.nodeNames.map(node => ({ node, json: '"good"', revision: good.revision })),
    );
  });

  it('rolls every node back when a single node cannot load the new version', async ({ cluster }) => {
    cluster.writeModule('alone', versionSource('good'));
    await cluster.push('alone');
    const before = await cluster.revisions();
    cluster.writeModule('alone', await throwsOnNode(cluster, 'bambam', 'bad'));
    const { exitCode, stdout } = await cluster.hotcast('push', 'alone');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^bambam +refused +on_load_failure: RangeError: not on bambam$/m);
    expect(stdout).toMatch(/^alone@[0-9a-f]{12} reverted · 2 loaded · 1 refused · /m);
    expect(stdout).toMatch(/^a node could not load it, so on every node alone is back on [0-9a-f]{12}$/m);
    expect(await cluster.revisions()).toEqual(before);
    const called = await cluster.call('alone.version()');
    expect(called.result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, json: '"good"' })));
  });

  it('removes a new module from every node when a single node cannot load it', async ({ cluster }) => {
    const before = await cluster.revisions();
    cluster.writeModule('newcomer', await throwsOnNode(cluster, 'bambam', 'bad'));
    const { exitCode, result } = await cluster.push('newcomer');
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 1, outcome: 'reverted' });
    expect(await cluster.revisions()).toEqual(before);
    const called = await cluster.call('newcomer.version()');
    expect(called.result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, failure: 'undef' })));
  });

  it('restores the data that a version changed before it threw', async ({ cluster }) => {
    const good = `
      import.meta.hot.data.count ??= 7;
      export function count() { return import.meta.hot.data.count; }
    `;
    cluster.writeModule('state-kept', good);
    await cluster.push('state-kept');
    cluster.writeModule('state-kept', `import.meta.hot.data.count = 0; ${THROWS_ON_NODES}${good}`);
    expect((await cluster.push('state-kept')).exitCode).toBe(1);
    const { result } = await cluster.call('state-kept.count()');
    expect(result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, json: '7' })));
  });
});
