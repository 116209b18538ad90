import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, it, vi } from 'vitest';

import { compile } from '../../../../../controller/src/build/compile.ts';
import { Packages } from '../../../../../controller/src/build/packages/packages.ts';
import { decodePackageSet } from '../../../../../protocol/packages.ts';
import { cjs, esm, packageFiles, packageProjects } from './fixture.ts';

const { compiled, errorOf, project, valueOf } = packageProjects();

describe('a native package', () => {
  const native = packageFiles(
    'native',
    { version: '3.1.0' },
    { 'index.js': `exports.value = 'native';`, 'build/Release/it.node': '' },
  );
  const wrapper = packageFiles('wrapper', { dependencies: { native: '*' } }, { 'index.js': '' });
  const careful = packageFiles(
    'careful',
    { optionalDependencies: { wrapper: '*' } },
    { 'index.js': `try { exports.value = require('wrapper'); } catch (error) { exports.value = error.code; }` },
  );

  it('is refused by name, also when another one needs it', async () => {
    expect(await errorOf(`import 'native'; export const value = 1;`, native)).toBe(
      'demo imports native 3.1.0: a native package (it has build/Release/it.node), which is not sent to nodes; nothing was sent: ' +
        "add external: ['native'] to hotcast.config.ts, and native@3.1.0 to NODE_PACKAGES in .env for the nodes' image",
    );
    expect(await errorOf(`import 'wrapper'; export const value = 1;`, native, wrapper)).toMatch(
      /^demo imports wrapper 1\.0\.0, which needs native 3\.1\.0: a native package/,
    );
  });

  it('is left out when others can do without it, with what needs it', async () => {
    const source = `import { value as it } from 'careful'; export const value = it;`;
    expect(await valueOf(source, careful, wrapper, native)).toBe('MODULE_NOT_FOUND');
    const { packages } = await compiled(source, careful, wrapper, native);
    expect(packages?.leftOut).toEqual([
      {
        root: 'careful',
        label: 'native 3.1.0',
        remedy:
          "add external: ['careful'] to hotcast.config.ts, and careful@1.0.0 to NODE_PACKAGES in .env for the nodes' image",
      },
    ]);
    expect(
      decodePackageSet(packages?.set ?? new Uint8Array(), packages?.hash ?? '').instances.map(({ name }) => name),
    ).toEqual(['careful']);
  });
});

describe('installed packages', () => {
  it('are seen as they are at each compile, and an archive is made again only when a file of it was written', async () => {
    const modules = project({ 'modules/demo.ts': `export { name as value } from 'esm';`, ...esm });
    const file = join(dirname(modules), 'node_modules/esm/esm.js');
    const packages = new Packages();
    const archiveNow = async () => (await compile(modules, 'demo', undefined, packages)).packages?.archives[0];
    const old = new Date(Date.now() - 60_000);
    utimesSync(file, old, old);
    // What has just been written is read again.
    await vi.waitFor(async () => expect(await archiveNow()).toBe(await archiveNow()), { timeout: 20_000 });
    const before = await archiveNow();
    writeFileSync(file, `export const name = 'written';`);
    expect((await archiveNow())?.hash).not.toBe(before?.hash);
  });

  it('are seen when they come and go', async () => {
    const optional = packageFiles('user', { optionalDependencies: { cjs: '*' } }, { 'index.js': '' });
    const modules = project({ 'modules/demo.ts': `import 'user'; export const value = 1;`, ...optional });
    const packages = new Packages();
    const hashNow = async () => (await compile(modules, 'demo', undefined, packages)).bundle.packages;
    const without = await hashNow();
    for (const [path, text] of Object.entries(cjs)) {
      mkdirSync(dirname(join(dirname(modules), path)), { recursive: true });
      writeFileSync(join(dirname(modules), path), text);
    }
    expect(await hashNow()).not.toBe(without);
    rmSync(join(dirname(modules), 'node_modules/cjs'), { recursive: true });
    expect(await hashNow()).toBe(without);
  });

  it('give the bytes of an archive again after they were released', async () => {
    const { packages } = await compiled(`export { name as value } from 'esm';`, esm);
    const [archive = expect.fail('no archive')] = packages?.archives ?? [];
    const bytes = await archive.packed();
    archive.release();
    expect(await archive.packed()).toEqual(bytes);
  });
});
