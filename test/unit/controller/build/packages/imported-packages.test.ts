import { describe, expect, it } from 'vitest';

import { revisionOf } from '../../../../../protocol/revision.ts';
import { babel, cjs, dual, esm, packageFiles, packageProjects } from './fixture.ts';

const { compiled, valueOf } = packageProjects();

describe('a compiled module', () => {
  it('has none of the code of its packages, and names them by the hash of their set, which the revision covers', async () => {
    const { bundle, packages } = await compiled(`import { name } from 'esm'; export const value = name;`, esm);
    expect(bundle.code).not.toContain('the default');
    expect(bundle.packages).toBe(packages?.hash);
    expect(bundle.revision).toBe(revisionOf(bundle.code, bundle.mapHash, packages?.hash));
    expect(packages?.manifest).toMatchObject({ hash: bundle.packages, versions: { esm: '1.0.0' } });
  });

  it('has no set when it uses no packages', async () => {
    const { bundle, packages } = await compiled(`import { sep } from 'node:path'; export const value = sep;`, esm);
    expect([bundle.packages, packages]).toEqual([undefined, null]);
  });

  it('contains workspace packages and packages of TypeScript', async () => {
    const files = { 'lib/index.ts': `import { name } from 'esm'; export const own: string = name;` };
    const typed = packageFiles('typed', { exports: './index.ts' }, { 'index.ts': `export const typed: number = 1;` });
    const source = `import { own } from '../lib'; import { typed } from 'typed'; export const value = [own, typed];`;
    const { bundle, packages } = await compiled(source, files, typed, esm);
    expect(Object.keys(packages?.manifest.versions ?? {})).toEqual(['esm']);
    expect(bundle.code).toContain('typed = 1');
    expect(await valueOf(source, files, typed, esm)).toEqual(['esm', 1]);
  });

  it.each([
    ['a name of an ES module', `import { name } from 'esm'; export const value = name;`, 'esm'],
    ['the default of an ES module', `import it from 'esm'; export const value = it;`, 'the default'],
    [
      'an ES module as a whole',
      `import * as all from 'esm'; export const value = Object.keys(all).toSorted();`,
      ['default', 'name'],
    ],
    [
      'an ES module by import()',
      `export const value = import('esm').then(({ default: it, name }) => [it, name]);`,
      ['the default', 'esm'],
    ],
    ['an ES module by require', `const { name } = require('esm'); export const value = name;`, 'esm'],
    ['a name of CommonJS', `import { name } from 'cjs'; export const value = name;`, 'cjs'],
    ['the default of CommonJS', `import it from 'cjs'; export const value = it.name;`, 'cjs'],
    [
      'CommonJS by import()',
      `export const value = import('cjs').then(all => [all.name, all.default.name]);`,
      ['cjs', 'cjs'],
    ],
    ['the default of CommonJS that was an ES module', `import it from 'babel'; export const value = it;`, 'inner'],
    ['a scoped name, for an import', `import { kind } from '@scope/dual'; export const value = kind;`, 'import'],
    ['a scoped name, for a require', `const { kind } = require('@scope/dual'); export const value = kind;`, 'require'],
    ['a subpath', `import { a } from '@scope/dual/sub/a'; export const value = a;`, 'require of a'],
    ['a file without its ending', `import { name } from 'cjs/lib/index'; export const value = name;`, 'cjs'],
    ['JSON', `import json from '@scope/dual/package.json'; export const value = json.version;`, '1.0.0'],
    ['re-exports', `export { name as value } from 'esm';`, 'esm'],
  ])('imports %s', async (_, source, expected) => {
    expect(await valueOf(source, esm, cjs, babel, dual)).toEqual(expected);
  });

  it('imports the default of CommonJS as Node.js does when its own package is of ES modules', async () => {
    const type = { 'modules/package.json': '{ "type": "module" }' };
    const source = `import it, { name } from 'babel'; import all from 'esm'; export const value = [it.default, name, all];`;
    expect(await valueOf(source, type, babel, esm)).toEqual(['inner', 'babel', 'the default']);
  });

  it('has the same revision in every folder, and another one for another version of a package', async () => {
    const source = `import { name } from 'esm'; export const value = name;`;
    const newer = packageFiles(
      'esm',
      { version: '2.0.0', type: 'module', exports: './esm.js' },
      { 'esm.js': `export const name = 2;` },
    );
    const [one, same, other] = await Promise.all([
      compiled(source, esm),
      compiled(source, esm),
      compiled(source, newer),
    ]);
    expect(one?.bundle).toEqual(same?.bundle);
    expect(other?.bundle.code).toBe(one?.bundle.code);
    expect(other?.bundle.revision).not.toBe(one?.bundle.revision);
  });

  it('reaches the package that each of its files finds', async () => {
    const inner = packageFiles('cjs', { version: '2.0.0' }, { 'index.js': `exports.name = 'inner';` }, 'lib/');
    const files = { 'lib/index.ts': `export { name as inner } from 'cjs';` };
    const source = `import { name } from 'cjs'; import { inner } from '../lib'; export const value = [name, inner];`;
    expect(await valueOf(source, cjs, inner, files)).toEqual(['cjs', 'inner']);
  });
});
