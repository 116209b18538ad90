import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { ROOT } from '../../support/shell.ts';

it('installs npm packages of modules in the modules folder, where the controller finds them', () => {
  const modules = join(ROOT, 'modules');
  expect(execFileSync('npm', ['prefix'], { cwd: modules, encoding: 'utf8' }).trim()).toBe(modules);
});
