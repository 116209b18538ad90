import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compile } from '../../../controller/src/build/compile.ts';
import { hotImportsIn, loadOrder } from '../../../shared/load-order.ts';
import { projects } from '../projects.ts';

const project = projects();

/** The order of modules (`'a b'`: a set) by what they import, as text: `c, a+b`. */
function order(imports: Readonly<Record<string, string>>): string {
  const units = Object.entries(imports).map(([modules, imported]) => ({
    modules: modules.split(' '),
    imports: imported === '' ? [] : imported.split(' '),
  }));
  const groups = loadOrder(units, unit => unit);
  return groups.map(group => group.map(({ modules }) => modules.join(' ')).join('+')).join(', ');
}

describe('loadOrder', () => {
  it.each([
    ['keeps the order of modules that import nothing', { c: '', a: '', b: '' }, 'c, a, b'],
    ['puts an imported module first', { top: 'core', core: '' }, 'core, top'],
    ['moves only what is imported', { a: '', top: 'core', b: '', core: '' }, 'a, core, top, b'],
    ['follows a chain', { a: 'b', b: 'c', c: '' }, 'c, b, a'],
    ['loads the bottom of a diamond once and first', { top: 'l r', r: 'base', l: 'base', base: '' }, 'base, r, l, top'],
    ['ignores imports of modules that are not there', { a: 'gone', b: 'a gone' }, 'a, b'],
    ['ignores a module that imports itself', { a: 'a', b: '' }, 'a, b'],
    ['makes a circle one group, in its order', { b: 'a', a: 'b' }, 'b+a'],
    ['puts a circle after what it imports, and before its importers', { i: 'b', a: 'b', b: 'a c', c: '' }, 'c, a+b, i'],
    ['joins circles that share a module', { a: 'b', b: 'a c', c: 'b' }, 'a+b+c'],
    ['keeps a set in one step', { 'top core': 'other', other: '' }, 'other, top core'],
    ['makes sets that import each other one group', { 'a b': 'c', c: 'b' }, 'a b+c'],
    ['of nothing is nothing', {}, ''],
  ])('%s', (_, imports, expected) => {
    expect(order(imports)).toBe(expected);
  });

  it('has every unit once, and imports before importers unless they are in one group', () => {
    const names = 'abcdefgh'.split('');
    const graph = fc.array(fc.record({ modules: fc.constant(['']), imports: fc.subarray(names) }), { maxLength: 8 });
    fc.assert(
      fc.property(graph, shapes => {
        const units = shapes.map(({ imports }, index) => ({ modules: [names[index] ?? ''], imports }));
        const groups = loadOrder(units, unit => unit);
        expect(groups.flat()).toHaveLength(units.length);
        expect(new Set(groups.flat())).toEqual(new Set(units));
        const groupOf = new Map(groups.flatMap((group, at) => group.map(({ modules }) => [modules[0], at] as const)));
        for (const { modules, imports } of units) {
          for (const imported of imports) {
            expect(groupOf.get(imported) ?? -1).toBeLessThanOrEqual(groupOf.get(modules[0]) ?? -1);
          }
        }
      }),
    );
  });
});

describe('hotImportsIn', () => {
  it.each([
    ['by name', `import { add } from 'hot:demo'; export const f = () => add(1, 2);`],
    ['as a namespace', `import * as demo from 'hot:demo'; export const f = () => demo;`],
    ['by default', `import demo from 'hot:demo'; export const f = () => demo(1);`],
    ['by import()', `export const f = () => import('hot:demo');`],
    ['for all of its exports', `export * from 'hot:demo'; export const f = 1;`],
    ['for its side effects', `import 'hot:demo'; export const f = 1;`],
  ])('finds a module that is imported %s', async (_, source) => {
    const { bundle } = await compile(
      project({ 'modules/caller.ts': source, 'modules/demo.ts': 'export const add = 1;' }),
      'caller',
    );
    expect(hotImportsIn(bundle.code)).toEqual(['demo']);
  });
});
