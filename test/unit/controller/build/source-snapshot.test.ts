import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { sourceTimes } from '../../../../controller/src/build/source-snapshot.ts';
import { projects } from '../../projects.ts';

const project = projects();

it('leaves out links that lead nowhere or to themselves, and what is no folder', () => {
  const folder = project({ 'modules/demo.ts': 'export const f = 1;\n' });
  symlinkSync('loop.ts', join(folder, 'loop.ts'));
  symlinkSync('missing', join(folder, 'dangling.ts'));
  mkdirSync(join(folder, 'folder.ts'));
  expect([...sourceTimes(folder).keys()]).toEqual([join(folder, 'demo.ts')]);
  expect(sourceTimes(join(folder, 'demo.ts')).size).toBe(0);
});
