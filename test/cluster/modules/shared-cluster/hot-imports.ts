import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect } from 'vitest';

import { ROOT } from '../../../support/shell.ts';
import { it } from './cluster.ts';

/** The source of an example module. */
const sourceOf = (module: string): string => readFileSync(join(ROOT, `modules/${module}.ts`), 'utf8');

describe('a hot import', () => {
  it('is undef until the other module is pushed, and then calls its current version', async ({ cluster }) => {
    expect((await cluster.push('greeter')).exitCode).toBe(0);
    expect(await cluster.hotcast('call', 'greeter.greet("Fred")', '--node', 'fred')).toMatchObject({
      exitCode: 1,
      stdout: 'fred  undef: no export add of module demo is loaded on node fred\n',
    });
    await cluster.push('demo');
    const answers = async (): Promise<unknown> =>
      (await cluster.call('greeter.greet("Fred")')).result.nodes.map(node => node.status === 'value' && node.json);
    expect(await answers()).toEqual(cluster.nodeNames.map(() => '"Hello Fred, two and two are 4"'));

    cluster.writeModule('demo', sourceOf('demo').replace('x + y', 'x + y + 1'));
    await cluster.push('demo');
    expect(await answers()).toEqual(cluster.nodeNames.map(() => '"Hello Fred, two and two are 5"'));

    await cluster.hotcast('remove', 'demo');
    cluster.writeModule('demo', sourceOf('demo'));
    expect((await cluster.call('greeter.greet("Fred")')).result.nodes).toMatchObject(
      cluster.nodeNames.map(node => ({ node, failure: 'undef' })),
    );
  });
});
