import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { groupsFor, readConfig } from '../../../../../controller/src/build/language/hotcast-config.ts';
import { availableModules } from '../../../../../controller/src/build/module-entry.ts';
import { SourceFiles } from '../../../../../controller/src/build/sources/source-files.ts';
import { projects } from '../../../projects.ts';

const project = projects();

async function externalIn(text: string): Promise<unknown> {
  const folder = project({ 'modules/hotcast.config.ts': text });
  try {
    return [...(await readConfig(folder, await new SourceFiles(folder).take(true))).external];
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
}

const USED = `import { defineConfig, type Config } from '@hotcast/types/config';`;

it.each([
  [`${USED} export default defineConfig({ external: ['sharp', "@scope/name"] });`, ['sharp', '@scope/name']],
  [`${USED} export default { external: ['sharp'], } satisfies Config;`, ['sharp']],
  [`${USED} // nothing\nexport default defineConfig({});`, []],
])('reads %s', async (text, expected) => {
  expect(await externalIn(text)).toEqual(expected);
});

const WRITTEN_OUT = /needs export default defineConfig\(\{ … \}\) with values that are written out/;

it.each([
  ['export const external = 1;', WRITTEN_OUT],
  ['', WRITTEN_OUT],
  [`const all = ['sharp']; export default { external: all };`, WRITTEN_OUT],
  [`export default defineConfig({ external: [process.env.NAME] });`, WRITTEN_OUT],
  ['export default defineConfig();', WRITTEN_OUT],
  [
    `export default { externals: ['sharp'] };`,
    /has externals, which is no setting: the settings are external, modules, groups;/,
  ],
  [`export default { external: 'sharp' };`, /has external that is not a list of names of packages, as \['sharp'\];/],
  [`export default { external: ['./sharp'] };`, /has external that is not a list of names of packages/],
  [
    `export default { modules: '../elsewhere' };`,
    /has modules that is not a folder in the project, as 'src\/modules';/,
  ],
  [
    `export default { groups: { web: 'demo' } };`,
    /has groups that is not a list of modules for each group, as \{ web: /,
  ],
  [`export default { groups: { Web: ['demo'] } };`, /has groups that is not a list of modules for each group/],
  [`export default { groups: { web: ['Demo'] } };`, /has groups that is not a list of modules for each group/],
  [
    `export default { groups: { web: ['a'], node: ['b'] } };`,
    /has the group node after another one: the nodes of the service node are the first group;/,
  ],
  ['export default {\n external: [ ;', /does not compile: Unexpected ";" \(line 2\);/],
])('refuses %s in one line', async (text, expected) => {
  const message = await externalIn(text);
  expect(message).toMatch(expected);
  expect(message).toMatch(/^modules\/hotcast\.config\.ts .*; nothing was sent$/);
});

it('reads that of the project, and refuses a second one in the modules folder', async () => {
  const text = `export default { external: ['sharp'] };`;
  const folder = project({ 'hotcast.config.ts': text });
  const read = async () => readConfig(folder, await new SourceFiles(folder).take(true));
  expect(await read()).toMatchObject({ external: new Set(['sharp']) });
  mkdirSync(folder);
  writeFileSync(join(folder, 'hotcast.config.ts'), text);
  await expect(read()).rejects.toThrow(
    'there are both hotcast.config.ts and modules/hotcast.config.ts: remove one; nothing was sent',
  );
});

it('says which groups a module goes to', async () => {
  const text = `export default { groups: { web: ['demo', 'shop'], worker: ['demo'] } };`;
  const folder = project({ 'modules/hotcast.config.ts': text });
  const config = await readConfig(folder, await new SourceFiles(folder).take(true));
  expect(['demo', 'shop', 'other'].map(module => groupsFor(config, module))).toEqual([
    { names: ['web', 'worker'], first: true },
    { names: ['web'], first: true },
    null,
  ]);
  expect(groupsFor({ groups: new Map([...config.groups].slice(1)) }, 'demo')).toEqual({
    names: ['worker'],
    first: true,
  });
});

it('reads none where there is none, and it is no module', async () => {
  const folder = project({ 'modules/demo.ts': 'export const value = 1;' });
  expect(await readConfig(folder, await new SourceFiles(folder).take(true))).toEqual({
    external: new Set(),
    modules: null,
    groups: new Map(),
    files: [],
  });
  expect(availableModules(project({ 'modules/hotcast.config.ts': '', 'modules/demo.ts': '' }))).toEqual(['demo']);
});
