import { describe, expect, it } from 'vitest';

import { compile } from '../../../../../controller/src/build/compile.ts';
import { decodePackageSet } from '../../../../../protocol/packages.ts';
import { type Files, packageFiles, packageProjects } from './fixture.ts';

const { compiled, errorOf, project } = packageProjects();

const config: Files = {
  'modules/hotcast.config.ts': `
    import { defineConfig } from '@hotcast/types/config';
    export default defineConfig({ external: ['native'] });`,
};
const native = (version = '3.1.0', folder = ''): Files =>
  packageFiles('native', { version }, { 'index.js': '', 'build/it.node': '' }, folder);
const user = packageFiles('user', { dependencies: { native: '*' } }, { 'index.js': `exports.it = require('native');` });
const careful = packageFiles('careful', { optionalDependencies: { native: '*' } }, { 'index.js': '' });

const direct = `import it from 'native'; export const value = it;`;

async function setOf(source: string, ...files: Files[]) {
  const { packages } = await compiled(source, ...files);
  return decodePackageSet(packages?.set ?? new Uint8Array(), packages?.hash ?? '');
}

describe('an external package', () => {
  it('is not sent, but named with its version, which the revision covers', async () => {
    const { bundle, packages } = await compiled(direct, config, native());
    expect(await setOf(direct, config, native())).toEqual({
      roots: {},
      instances: [],
      externals: { native: '3.1.0' },
    });
    expect(bundle.code).toContain('require("npm:native")');
    expect(bundle.packages).toBe(packages?.hash);
    expect(packages).toMatchObject({
      archives: [],
      externals: ['native'],
      manifest: { versions: { native: '3.1.0' } },
    });
    const newer = await compiled(direct, config, native('3.2.0'));
    expect(newer.bundle.code).toBe(bundle.code);
    expect(newer.bundle.revision).not.toBe(bundle.revision);
  });

  it('is found by a require and by a subpath too', async () => {
    const source = `const it = require('native'); export const value = [it, import('native/lib/sub')];`;
    const { bundle } = await compiled(source, config, native());
    expect(bundle.code).toContain('require("native")');
    expect(bundle.code).toContain('require("npm:native/lib/sub")');
  });

  it('is needed by a module whose packages need it, also if they could do without it', async () => {
    for (const [name, files] of Object.entries({ user, careful })) {
      const source = `import '${name}'; export const value = 1;`;
      const { instances, externals } = await setOf(source, config, files, native());
      expect([instances.map(each => each.name), externals]).toEqual([[name], { native: '3.1.0' }]);
    }
  });

  it('is a part of what an instance is', async () => {
    const source = `import 'careful'; export const value = 1;`;
    const sets = await Promise.all([
      setOf(source, careful, native()),
      setOf(source, config, careful, native()),
      setOf(source, config, careful, native('3.2.0')),
    ]);
    expect(new Set(sets.map(({ instances }) => instances[0]?.id)).size).toBe(3);
  });

  it('is refused in two versions: an image has one', async () => {
    const inner = native('2.0.0', 'node_modules/user/');
    const source = `import 'user'; ${direct}`;
    expect(await errorOf(source, config, user, native(), inner)).toBe(
      "demo needs native 3.1.0 and 2.0.0, but native is external, and the nodes' image has one version of it; nothing was " +
        'sent: install one version for all packages, or remove it from external in hotcast.config.ts',
    );
  });

  it('has to be installed for the modules, unless a tsconfig path leads elsewhere', async () => {
    expect(await errorOf(direct, config)).toMatch(/Could not resolve "native"|native/);
    const paths = { 'modules/tsconfig.json': `{ "compilerOptions": { "paths": { "native": ["./own"] } } }` };
    const own = { 'modules/own.ts': `export default 'own';` };
    expect((await compiled(direct, config, paths, own, native())).packages).toBe(null);
  });

  it('comes from a file that counts as a source of the module and is type-checked with it', async () => {
    const modules = project({ 'modules/demo.ts': direct, ...config, ...native() });
    const { files, sources } = await compile(modules, 'demo');
    expect(files.map(file => file.slice(modules.length))).toEqual(['/demo.ts', '/hotcast.config.ts']);
    expect(Object.keys(sources)).toEqual([
      'modules/demo.ts',
      'modules/hotcast.config.ts',
      'node_modules/native/package.json',
    ]);
  });
});
