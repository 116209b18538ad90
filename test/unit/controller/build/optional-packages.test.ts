import { describe, expect, it } from 'vitest';

import { compile } from '../../../../controller/src/build/compile.ts';
import { projects } from '../../projects.ts';
import { calls, type Files } from './language/calls.ts';

const project = projects();
const valueOf = calls();

describe('a package', () => {
  const knex = (require: string): Files => ({
    'modules/demo.ts': `import { open } from 'knex'; export const f = () => open();`,
    'node_modules/knex/index.js': `exports.open = () => { ${require} };`,
  });

  it('that requires another one, which is not installed, gets the error of Node.js when it does', async () => {
    const source = `try { return require('mysql2').x; } catch (error) { return [error.code, error.message]; }`;
    expect(await valueOf(knex(source))).toEqual([
      'MODULE_NOT_FOUND',
      expect.stringMatching(
        /^module demo requires mysql2, which is not a built-in module of Node \S+, and was not installed when it was pushed$/,
      ),
    ]);
    const inFunction = `const drivers = { a: () => require('mysql2'), b: () => require('pg/lib'), d: () => import('pg-native'), c: () => 7 }; return drivers.c();`;
    expect(await valueOf(knex(inFunction))).toBe(7);
  });

  it.each([
    ['imports one that is not installed', `};\nimport 'mysql2';\n{`],
    ['requires its own file, which is missing', `return require('./driver');`],
  ])('that %s does not compile', async (_, source) => {
    await expect(compile(project(knex(source)), 'demo')).rejects.toThrow('Could not resolve');
  });

  it('that a module itself requires has to be installed', async () => {
    const source = `export const f = () => require('mysql2');`;
    await expect(compile(project({ 'modules/demo.ts': source }), 'demo')).rejects.toThrow('Could not resolve "mysql2"');
  });

  it('is resolved by its exports under the conditions of Node.js', async () => {
    const files = {
      'modules/demo.ts': `import a from 'a'; import b from 'b'; export const f = () => [a, b, require('a')];`,
      'node_modules/a/package.json':
        '{ "exports": { "module": "./no.js", "browser": "./no.js", "import": "./i.mjs", "require": "./r.cjs" } }',
      'node_modules/a/i.mjs': 'export default 1;',
      'node_modules/a/r.cjs': 'module.exports = 2;',
      'node_modules/b/package.json': '{ "exports": { "module-sync": "./s.mjs", "default": "./no.js" } }',
      'node_modules/b/s.mjs': 'export default 3;',
    };
    expect(await valueOf(files)).toEqual([1, 3, 2]);
  });
});
