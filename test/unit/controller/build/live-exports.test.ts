import { tokenizer } from 'acorn';
import { describe, expect, it } from 'vitest';

import { compile } from '../../../../controller/src/build/compile.ts';
import { liveExports } from '../../../../controller/src/build/live-exports.ts';
import { fastest } from '../../../support/fastest.ts';
import { projects } from '../../projects.ts';

const project = projects();

async function liveExportsOf(source: string): Promise<readonly string[]> {
  const modules = project({
    'modules/demo.ts': source,
    'modules/lib/file.ts': 'export let n = 0; export const m = () => n++;',
    'modules/lib/file.json': '{ "a": { "b": [1] }, "c d": 2 }',
    'modules/lib/list.json': '[1]',
    'modules/lib/file.txt': 'a text',
  });
  return (await compile(modules, 'demo')).bundle.live.toSorted();
}

describe('the live exports of a module', () => {
  it.each([
    ['a constant', 'export const x = 1;', []],
    ['a function', 'export function x() {}', []],
    ['a class', 'export class X { static y = 1; }', []],
    ['an enum', 'export enum X { A, B }', []],
    ['a variable that nothing assigns', 'export let x = 1;', []],
    ['a variable that is assigned', 'export let x = 1; export const set = () => { x = 2; };', ['x']],
    ['a function that is assigned', 'export function x() {} export const set = () => { x = () => 1; };', ['x']],
    ['a variable that is counted up', 'export let x = 1; export const set = () => x++;', ['x']],
    ['a variable that is added to', 'export let x = 1; export const set = (n: number) => { x += n; };', ['x']],
    [
      'a variable in an object pattern',
      'export let x = 1; export const set = () => { ({ a: x = 3 } = { a: 2 }); };',
      ['x'],
    ],
    [
      'a variable in an array pattern',
      'export let x: number[] = []; export const set = () => { [, ...x] = [1, 2]; };',
      ['x'],
    ],
    ['a variable that a loop assigns', 'export let x = 1; export const set = () => { for (x of [1, 2]); };', ['x']],
    [
      'a renamed variable',
      'let x = 1; export const set = () => { x = 2; }; export { x as y, x as "z z" };',
      ['y', 'z z'],
    ],
    ['a property that is assigned', 'export const x = { y: 1 }; export const set = () => { x.y = 2; };', []],
    ['a hot import', `import { a } from 'hot:other'; export { a }; export { b } from 'hot:other';`, ['a', 'b']],
    ['the namespace of a hot import', `export * as x from 'hot:other';`, ['x']],
    ['a regular expression that V8 refuses', 'export const x = 1, y = () => /(?<a>.)(?<a>.)/;', ['x', 'y']],
    ['a variable of another file', `export { n, m } from './lib/file';`, ['n']],
    ['names of a JSON file', `export { a, default as all } from './lib/file.json'; export const x = 1;`, []],
    [
      'data of other files',
      `export { default as l } from './lib/list.json'; export { default as t } from './lib/file.txt';`,
      [],
    ],
  ])('with %s', async (_, source, live) => {
    expect(await liveExportsOf(source)).toEqual(live);
  });
});

describe('the search for live exports', () => {
  it('takes time in proportion to the code, also with very many names', () => {
    const names = Array.from({ length: 40_000 }, (_, index) => `name${index}`);
    const code = `${names.map(name => `function ${name}() {}`).join('\n')}\nname1 = 2;\nexport { name1, name2 };\n`;
    const read = fastest(() => expect([...tokenizer(code, { ecmaVersion: 'latest' })].length).toBeGreaterThan(0));
    const searched = fastest(() => expect(liveExports(code, [])).toEqual(['name1']));
    // It takes about as long. With a search through all names for each of them it took 14 times as long.
    expect(searched / read).toBeLessThan(6);
  });
});
