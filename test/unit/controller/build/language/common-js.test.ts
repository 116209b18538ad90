import { describe, expect, it } from 'vitest';

import { compile } from '../../../../../controller/src/build/compile.ts';
import { projects } from '../../../projects.ts';
import { calls } from './calls.ts';

const project = projects();
const valueOf = calls();

describe('CommonJS', () => {
  it.each<[string, string, readonly string[], unknown]>([
    [
      'names',
      'exports.f = () => 1; module.exports.g = 2; exports["with-dash"] = 3;',
      ['f', 'g', 'with-dash', 'default'],
      1,
    ],
    ['an object', 'const g = 2; module.exports = { f: () => g, g };', ['f', 'g', 'default'], 2],
    [
      'defined properties and a default',
      `Object.defineProperty(exports, '__esModule', { value: true }); Object.defineProperty(exports, 'f', { get: () => () => 4 }); exports.default = 5;`,
      ['f', 'default'],
      4,
    ],
  ])('exports %s, as Node.js finds them', async (_, source, names, expected) => {
    const files = { 'modules/demo.cjs': source };
    const { bundle } = await compile(project(files), 'demo');
    expect(bundle.exports.toSorted()).toEqual(names.toSorted());
    expect(await valueOf(files)).toBe(expected);
  });

  it('has a function that is exported whole as the default', async () => {
    const files = { 'modules/demo.js': 'module.exports = () => 6;' };
    expect((await compile(project(files), 'demo')).bundle.exports).toEqual(['default']);
  });
});
