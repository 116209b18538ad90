import { expect, it } from 'vitest';

import { packagesText } from '../../../../controller/src/cli/packages-text.ts';
import { headOf } from '../../fixtures.ts';

const headWith = (module: string, hash: string, versions: Record<string, string>) => ({
  ...headOf(module, 'f'.repeat(64), 1),
  manifest: { exports: [], imports: {}, sources: {}, packages: { hash, versions, bytes: 320_000 } },
});

it('status has a line for each set of packages, with its modules and its size', () => {
  const many = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(name => [name, '1.0.0']));
  const heads = [
    headOf('demo', 'f'.repeat(64), 1),
    headWith('web', '1', { hono: '4.13.19' }),
    headWith('api', '1', { hono: '4.13.19' }),
    headWith('jobs', '2', many),
  ];
  expect(packagesText(heads)).toEqual([
    'packages of web, api: hono 4.13.19 (0.3 MB)',
    'packages of jobs: a 1.0.0, b 1.0.0, c 1.0.0, d 1.0.0, e 1.0.0 and 2 more (0.3 MB)',
  ]);
});
