import { describe, expect, it } from 'vitest';

import { compile } from '../../../../controller/src/build/compile.ts';
import { removedExportWarnings, namesImported } from '../../../../controller/src/build/removed-exports.ts';
import { projects } from '../../projects.ts';

const project = projects();

async function codeOf(source: string): Promise<string> {
  return (await compile(project({ 'modules/caller.ts': source }), 'caller')).bundle.code;
}

describe('namesImported', () => {
  it.each([
    [
      'by name',
      `import { add, less as minus } from 'hot:demo'; export const f = () => add(1, minus(2, 3));`,
      ['add', 'less'],
    ],
    ['as a whole', `import * as demo from 'hot:demo'; export const f = () => demo.add(1, 2);`, ['add']],
    ['the default', `import demo from 'hot:demo'; export const f = () => demo(1);`, ['default']],
    ['handed on', `export { add } from 'hot:demo';`, ['add']],
    ['for its types only', `import type { Shape } from 'hot:demo'; export const f = (x: Shape) => x;`, []],
    ['of another module', `import { add } from 'hot:demo-two'; export const f = () => add(1);`, []],
  ])('finds what is imported %s', async (_, source, names) => {
    expect([...namesImported(await codeOf(source), 'demo')].toSorted()).toEqual(names);
  });
});

describe('removedExportWarnings', () => {
  it('names who imports what is gone, and leaves out what nobody does', async () => {
    const code = await codeOf(`import { add } from 'hot:demo'; export const f = () => add(1, 2);`);
    const callers = ['greeter', 'other', 'demo'].map(module => ({ module, code }));
    expect(removedExportWarnings(callers, 'demo', ['add', 'unused'])).toEqual([
      'demo exports add no more, which greeter, other import',
    ]);
  });
});
