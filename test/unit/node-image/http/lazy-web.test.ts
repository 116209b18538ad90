import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

it("Node's fetch is loaded, and ours defined, for the first code that names it", { timeout: 60_000 }, () => {
  const script = join(import.meta.dirname, 'lazy-web.ts');
  const printed = execFileSync(process.execPath, ['--import', 'tsx', script], { encoding: 'utf8' });
  expect(JSON.parse(printed)).toEqual([false, false, true, true]);
});

it('no file of the node imports `node:http`, which loads it', () => {
  const root = join(import.meta.dirname, '../../../..');
  const files = ['node-image/src', 'shared', 'protocol'].flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(file => join(root, folder, file)),
  );
  const imports = /^import (?!type )[^;]*from '(?:node:)?http';/m;
  const found = files.filter(file => file.endsWith('.ts') && imports.test(readFileSync(file, 'utf8')));
  expect(found).toEqual([]);
});
