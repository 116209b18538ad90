import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { PACKAGE_VERSION } from '../../../shared/package-version.ts';
import { ROOT } from '../../support/shell.ts';

it('PACKAGE_VERSION is the version of package.json', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect(PACKAGE_VERSION).toBe(version);
});
