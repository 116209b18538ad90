import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ComposeProject, TEST_PROJECT } from '../support/docker/compose-project.ts';
import { type ProcessOutput, run } from '../support/shell.ts';
import { MODULES } from './selected-cases.ts';

const ONLY = process.env['ONLY'] ?? '';
const { devDependencies: versions } = JSON.parse(readFileSync(join(MODULES, 'package.json'), 'utf8')) as {
  devDependencies: Record<string, string>;
};
const packages = ['sharp', 'better-sqlite3'].map(name => `${name}@${versions[name]}`);

// A project of a team: the modules are not in `modules`, and import what is beside them.
const folder = mkdtempSync(join(tmpdir(), 'hotcast-test-project-'));
const files: Readonly<Record<string, string>> = {
  'package.json': '{ "name": "team", "private": true, "type": "module" }',
  'hotcast.config.ts': `export default { external: ['sharp', 'better-sqlite3'], modules: 'src/hot' };`,
  'tsconfig.json': `{ "compilerOptions": { "strict": true, "module": "preserve", "noImplicitAny": false, "paths": { "#shared/*": ["./shared/*"] } } }`,
  'shared/size.ts': 'export const size: number = 4;\n',
  'src/hot/picture.ts': `import { size } from '#shared/size';
${readFileSync(join(MODULES, 'sharp.ts'), 'utf8').replaceAll('width: 4, height: 4', 'width: size, height: size')}`,
  'src/hot/store.ts': readFileSync(join(MODULES, 'better-sqlite3.ts'), 'utf8'),
};
const project = new ComposeProject(TEST_PROJECT, {
  MODULES_DIR: '',
  PROJECT_DIR: folder,
  NODE_PACKAGES: packages.join(' '),
});

function expectDone({ exitCode, stdout, stderr }: ProcessOutput): string {
  expect(exitCode, stdout + stderr).toBe(0);
  return stdout;
}

// Packages that have no binary for the Node.js of the nodes are compiled while their image is built.
describe.runIf(ONLY === '' || ONLY.split(',').includes('sharp'))('external packages', { timeout: 900_000 }, () => {
  beforeAll(async () => {
    chmodSync(folder, 0o755);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const install = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', ...packages];
    expectDone(await run('npm', install, {}));
    expectDone(await project.make('images'));
    expectDone(await project.make('up', 'NODES=2'));
  }, 900_000);

  afterAll(async () => {
    await project[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it('of the image are called by the modules of a project, which share what is beside them', async () => {
    expectDone(await project.make('push', 'MODULE=picture store', 'NO_CHECK=1'));
    const picture = expectDone(await project.make('call', 'CALL=picture.check()'));
    expect(picture.match(/\{ width: 2, isPng: true \}/g)).toHaveLength(2);
    expect(expectDone(await project.make('call', 'CALL=store.check()')).match(/\{ sum: 2 \}/g)).toHaveLength(2);
  });

  it('work in the next version, which an edit beside the modules makes', async () => {
    writeFileSync(join(folder, 'shared/size.ts'), 'export const size: number = 8;\n');
    const pushed = expectDone(await project.make('push', 'AFFECTED=1', 'NO_CHECK=1'));
    expect(pushed).toContain('picture@');
    expect(pushed).not.toContain('store@');
    expect(expectDone(await project.make('call', 'CALL=picture.check()'))).toContain('isPng: true');
  });
});
