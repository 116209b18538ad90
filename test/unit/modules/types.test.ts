import { copyFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { ROOT, run } from '../../support/shell.ts';
import { projects } from '../projects.ts';

const project = projects();

const TSC = join(ROOT, 'node_modules/.bin/tsc');
const OPTIONS = ['--noEmit', '--composite', 'false', '--emitDeclarationOnly', 'false', '--pretty', 'false'];

/** The positions and codes of TypeScript's errors in a module, with the configuration of the modules folder. */
async function typeErrorsIn(caller: string): Promise<string[]> {
  const modules = project({
    'modules/caller.ts': caller,
    'modules/demo.ts': 'export function add(x: number, y: number): number {\n  return x + y;\n}\nexport default add;\n',
    'modules/lib/helper.ts': 'export const help = 1;\n',
    'modules/folder/index.ts': 'export const deep = (text: string): string => text;\n',
  });
  const folder = join(modules, '..');
  for (const file of ['modules/tsconfig.json', 'modules/package.json']) {
    copyFileSync(join(ROOT, file), join(folder, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const { stdout } = await run(TSC, ['-p', modules, ...OPTIONS], {});
  const errors = stdout.matchAll(/caller\.ts\((?<at>\d+,\d+)\): error (?<code>TS\d+)/g);
  return [...errors].map(({ groups }) => `${groups?.['at']} ${groups?.['code']}`);
}

it('gives hot imports the types of the imported modules', async () => {
  const correct = `
    import plus, { add } from 'hot:demo';
    import * as folder from 'hot:folder';
    export const sum: number = add(1, 2) + plus(3, 4);
    export const text: string = folder.deep('yabba');
  `;
  expect(await typeErrorsIn(correct)).toEqual([]);
});

it('reports wrong hot imports: missing exports, missing modules, wrong arguments', async () => {
  const wrong = [
    `import { add, subtract } from 'hot:demo';`,
    `import { x } from 'hot:nowhere';`,
    `import { deep } from 'hot:folder';`,
    `export const sum = add('1', 2);`,
    `export const text: number = deep('yabba');`,
    `export { subtract, x };`,
  ];
  expect(await typeErrorsIn(wrong.join('\n'))).toEqual(['1,15 TS2614', '2,19 TS2307', '4,24 TS2345', '5,14 TS2322']);
});

it('knows the types of import.meta.hot', async () => {
  const source = `
    import type { CodeChange } from '@hotcast/types';
    interface Data { count: number; names: string[] }
    const { signal, dispose, prune } = import.meta.hot;
    const data = import.meta.hot.dataOf<Data>({ count: 0, names: [] });
    export const more = (): number => (data.count += data.names.length);
    signal.addEventListener('abort', () => undefined);
    dispose(async last => { await undefined; delete last['count']; });
    prune(() => more());
    export const codeChange = ((old, from) => ({ count: old.counts.length, names: [from] })) satisfies
      CodeChange<{ counts: number[] }, Data>;
  `;
  expect(await typeErrorsIn(source)).toEqual([]);
});

it('reports wrong uses of import.meta.hot', async () => {
  const wrong = [
    `import type { CodeChange } from '@hotcast/types';`,
    `import.meta.hot.data = {};`,
    `import.meta.hot.dispose(1);`,
    `import.meta.hot.dataOf<{ count: number }>({ count: 'one' });`,
    `export const text: string = import.meta.hot.dataOf({ count: 1 }).count;`,
    `export const codeChange = (old => ({ total: old.no })) satisfies CodeChange<{ count: number }, { total: number }>;`,
  ];
  expect(await typeErrorsIn(wrong.join('\n'))).toEqual([
    '2,17 TS2540',
    '3,25 TS2345',
    '4,45 TS2322',
    '5,14 TS2322',
    '6,49 TS2339',
  ]);
});

it('accepts what TypeScript users write, with the configuration of the modules folder', async () => {
  const usual = `
    import { help } from './lib/helper';
    import { add as plus } from './demo.js';
    import query from './query.sql';
    import code from './code.wasm' with { type: 'bytes' };
    import type { Hot } from '@hotcast/types';
    import { Hot as Unused } from '@hotcast/types';
    enum Color { Red = 1 }
    namespace Names { export const first = 'fred'; }
    export class Point { constructor(private readonly x: number) {} get() { return this.x; } }
    const { DATABASE_URL = 'none' } = process.env;
    export const all = [Color.Red, Names.first, new Point(help), process.env.PORT ?? DATABASE_URL, plus(1, 2)];
    export const first: number = [1, 2][0];
    export const optional: { x?: number } = { x: undefined };
    export const text: string = query.trim() + import.meta.url + import.meta.dirname + __filename;
    export const bytes: Uint8Array = code;
    export const load = async (hot: Hot) => ({ hot, ...(await import('./lib/helper')) });
  `;
  expect(await typeErrorsIn(usual)).toEqual([]);
});

it('is strict', async () => {
  const loose = ['export const f = x => x;', 'export const g = (x: string | null): number => x.length;'];
  expect(await typeErrorsIn(loose.join('\n'))).toEqual(['1,18 TS7006', '2,48 TS18047']);
});
