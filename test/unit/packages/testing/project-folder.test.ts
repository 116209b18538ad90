import { dirname, join } from 'node:path';

import { expect, it } from 'vitest';

import { projectOf } from '../../../../packages/testing/src/project-folder.ts';
import { createRuntime } from '../../../../packages/testing/src/runtime/runtime.ts';
import { projects } from '../../projects.ts';

const project = projects();
const PACKAGE = '{ "type": "module" }';

it('a project is the nearest folder with a compose file or a configuration, else with a package.json', () => {
  const workspace = project({ 'compose.yaml': '', 'game/package.json': PACKAGE, 'game/modules/demo.ts': '' });
  const root = dirname(workspace);
  expect(projectOf(join(root, 'game/modules'))).toBe(root);
  const configured = dirname(project({ 'package.json': PACKAGE, 'a/hotcast.config.ts': '', 'a/src/hot/demo.ts': '' }));
  expect(projectOf(join(configured, 'a/src/hot'))).toBe(join(configured, 'a'));
  const plain = dirname(project({ 'package.json': PACKAGE, 'src/hot/demo.ts': '' }));
  expect(projectOf(join(plain, 'src/hot'))).toBe(plain);
});

it('a project is not above the repository', () => {
  const root = dirname(project({ 'compose.yaml': '', 'own/.git/HEAD': '', 'own/modules/demo.ts': '' }));
  expect(projectOf(join(root, 'own/modules'))).toBeNull();
});

it('a runtime has the whole project: its tsconfig.json, and what modules import of it', async () => {
  const root = dirname(
    project({
      'hotcast.config.ts': `export default { modules: 'src/hot' };`,
      'tsconfig.json': JSON.stringify({ compilerOptions: { paths: { '@/*': ['./shared/*'] } } }),
      'shared/prices.ts': 'export const PRICE = 1200;',
      'src/hot/shop.ts': `import { PRICE } from '@/prices.ts'; export const price = () => PRICE;`,
    }),
  );
  await using runtime = await createRuntime({ modules: join(root, 'src/hot') });
  const shop = await runtime.load('shop');
  expect(shop.price()).toBe(1200);
});
