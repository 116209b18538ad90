import { describe, expect, it } from 'vitest';

import { compile } from '../../../../controller/src/build/compile.ts';
import { manifestFrom } from '../../../../controller/src/build/manifest.ts';
import { projects } from '../../projects.ts';

const project = projects();

describe('manifestFrom', () => {
  it.each([
    [
      'by name',
      `import { add, less as minus } from 'hot:demo'; export const f = () => add(1, minus(2, 3));`,
      { demo: ['add', 'less'] },
    ],
    ['as a namespace', `import * as demo from 'hot:demo'; export const f = () => demo.add(1, 2);`, { demo: ['add'] }],
    ['as the default', `import demo from 'hot:demo'; export const f = () => demo(1);`, { demo: ['default'] }],
    ['and exported again', `export { add as f } from 'hot:demo';`, { demo: ['add'] }],
    ['by import()', `export const f = async () => (await import('hot:demo')).add(1, 2);`, { demo: [] }],
    ['for its types only', `import type { Shape } from 'hot:demo'; export const f = (x: Shape) => x;`, {}],
    [
      'from two modules',
      `import { add } from 'hot:demo'; import { f as g } from 'hot:demo-two'; export const f = () => g(add(1));`,
      { demo: ['add'], 'demo-two': ['f'] },
    ],
  ])('names what is imported %s', async (_, source, imports) => {
    const { bundle } = await compile(project({ 'modules/caller.ts': source }), 'caller');
    const manifest = manifestFrom(bundle);
    for (const names of Object.values(manifest.imports)) names.sort();
    expect(manifest).toEqual({ exports: ['f'], imports, sources: {} });
  });

  it('names what export * passes on', async () => {
    const sources = {
      'modules/caller.ts': `export * from './lib/more'; export const f = 1;`,
      'modules/lib/more.ts': `export * from 'hot:demo';`,
      'modules/demo.ts': 'export const add = 1; export const f = 2; export default 3;',
    };
    const { bundle } = await compile(project(sources), 'caller');
    expect(manifestFrom(bundle)).toEqual({ exports: ['f', 'add'], imports: { demo: ['add', 'f'] }, sources: {} });
  });
});
