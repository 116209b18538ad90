import { dirname, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { compile } from '../../../../controller/src/build/compile.ts';
import { findProject } from '../../../../controller/src/build/project-folder.ts';
import { SourceFiles } from '../../../../controller/src/build/sources/source-files.ts';
import { call } from '../../../../node-image/src/modules/invoke.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { recordingLog } from '../../fixtures.ts';
import { projects } from '../../projects.ts';

const project = projects();

/** Finds the project in a folder. Returns it with what was warned of. */
async function found(projectDir: string, modulesDir = '') {
  const warnings: string[] = [];
  return { ...(await findProject({ projectDir, modulesDir }, why => warnings.push(why))), warnings };
}

describe('the modules folder', () => {
  it('is modules in the project, or what its configuration names', async () => {
    const plain = dirname(project({ 'package.json': '{}' }));
    expect(await found(plain)).toEqual({
      root: plain,
      modulesDir: join(plain, 'modules'),
      sourcesDir: plain,
      warnings: [],
    });
    const named = dirname(project({ 'hotcast.config.ts': `export default { modules: 'src/hot/' };` }));
    expect((await found(named)).modulesDir).toBe(join(named, 'src/hot'));
  });

  it('is modules when the configuration can not be read, which is said', async () => {
    const broken = dirname(project({ 'hotcast.config.ts': `export default { modules: '../..' };` }));
    expect(await found(broken)).toMatchObject({
      modulesDir: join(broken, 'modules'),
      warnings: [expect.stringContaining('hotcast.config.ts has modules that is not a folder in the project')],
    });
  });

  it('can be one alone, also without a project', async () => {
    expect(await found('/no/project', '/some/modules')).toEqual({
      root: '/some',
      modulesDir: '/some/modules',
      sourcesDir: '/some/modules',
      warnings: [],
    });
    expect((await found('/no/project')).modulesDir).toBe('/work/modules');
  });
});

describe('a module of a project', () => {
  const files = {
    'src/hot/demo.ts': `import { word } from '#shared/words';
      import { other } from '../../shared/other.ts';
      export const all = () => [word, other, import.meta.url];`,
    'shared/words.ts': `export const word = 'shared';`,
    'shared/other.ts': `export const other = 'beside';`,
    'tsconfig.json': `{ "compilerOptions": { "paths": { "#shared/*": ["./shared/*"] } } }`,
    'hotcast.config.ts': `export default { modules: 'src/hot' };`,
  };

  it('imports what is beside its folder, with the tsconfig.json of the project', async () => {
    const { root, modulesDir } = await found(dirname(project(files)));
    const sources = new SourceFiles(modulesDir, root);
    const { bundle, sources: hashes } = await compile(modulesDir, 'demo', await sources.take(true));
    expect(bundle.file).toBe('src/hot/demo.ts');
    expect(Object.keys(hashes).toSorted()).toEqual(Object.keys(files).toSorted());
    const server = new CodeServer(recordingLog());
    expect([server.prepare(bundle), server.loadHere(bundle)]).toEqual([{ status: 'ok' }, { status: 'ok' }]);
    expect(await call(server, 'fred', { module: 'demo', function: 'all', args: [] })).toMatchObject({
      json: JSON.stringify(['shared', 'beside', 'file:///hotcast/src/hot/demo.ts']),
    });
  });

  it('is refused when the configuration has come to name another folder', async () => {
    const root = dirname(project({ ...files, 'modules/demo.ts': 'export const all = 1;' }));
    const sources = new SourceFiles(join(root, 'modules'), root);
    await expect(compile(join(root, 'modules'), 'demo', await sources.take(true))).rejects.toThrow(
      'hotcast.config.ts has the modules folder src/hot, and the controller runs with modules; nothing was sent: start the ' +
        'controller again (docker compose restart controller)',
    );
  });
});
