import { hash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { compile } from '../../../../controller/src/build/compile.ts';
import { SourceError } from '../../../../controller/src/api/diagnostic.ts';
import { call } from '../../../../node-image/src/modules/invoke.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { encodeBundle, unpackMap } from '../../../../protocol/bundle.ts';
import { UsageError } from '../../../../protocol/errors.ts';
import { mapHashOf, revisionOf } from '../../../../protocol/revision.ts';
import { recordingLog } from '../../fixtures.ts';
import { projects } from '../../projects.ts';

const project = projects();

const projectOf = (source: string): string => project({ 'modules/demo.ts': source });

const add = 'export const add = (x: number, y: number): number => x + y;\n';

/** The answer of a node to a call of the compiled module. */
async function callOn(modulesDir: string, name: string): Promise<unknown> {
  const { bundle } = await compile(modulesDir, 'demo');
  const server = new CodeServer(recordingLog());
  expect([server.prepare(bundle), server.loadHere(bundle)]).toEqual([{ status: 'ok' }, { status: 'ok' }]);
  return call(server, 'fred', { module: 'demo', function: name, args: [] });
}

async function compileErrorOf(source: string): Promise<SourceError> {
  const error: unknown = await compile(projectOf(source), 'demo').catch((thrown: unknown) => thrown);
  if (error instanceof SourceError) return error;
  throw new Error('it compiled, or failed with another error', { cause: error });
}

describe('compile', () => {
  it('returns a bundle with the revision of its code and its map', async () => {
    const { bundle } = await compile(projectOf(add), 'demo');
    expect(bundle).toMatchObject({ module: 'demo', file: 'modules/demo.ts', exports: ['add'] });
    expect(bundle.revision).toBe(revisionOf(bundle.code, mapHashOf(unpackMap(bundle.map))));
  });

  it('makes the same bundle of the same source in every folder', async () => {
    const [one, two] = await Promise.all([1, 2].map(() => compile(projectOf(add), 'demo')));
    expect(one?.bundle).toEqual(two?.bundle);
  });

  it('ships few bytes of a small module, and no line of it moves', async () => {
    const { bundle } = await compile(
      project({
        'modules/demo.ts': `import axios from 'axios';\n${add}export const get = (url: string) => axios(url);\n`,
        'modules/node_modules/axios/package.json': '{ "name": "axios", "version": "1.0.0" }',
        'modules/node_modules/axios/index.js': '',
      }),
      'demo',
    );
    expect(encodeBundle(bundle).length).toBeLessThan(1_100);
    const { mappings } = JSON.parse(unpackMap(bundle.map)) as { mappings: string };
    const line = bundle.code.split('\n').indexOf('var add = (x, y) => x + y;');
    expect(
      mappings
        .split(';')
        .map(segments => segments !== '')
        .lastIndexOf(true),
    ).toBe(line + 1);
  });

  it('makes another revision of other source', async () => {
    const [one, two] = await Promise.all([add, add.replace('+', '-')].map(text => compile(projectOf(text), 'demo')));
    expect(one?.bundle.revision).not.toBe(two?.bundle.revision);
  });

  it('makes another revision of a source that differs in comments only: its map has other lines', async () => {
    const [one, two] = await Promise.all(
      [add, `// why\n${add}`].map(async text => (await compile(projectOf(text), 'demo')).bundle),
    );
    expect(one?.code).toBe(two?.code);
    expect(one?.revision).not.toBe(two?.revision);
  });

  it('names its sources with their hashes, those that `export *` of a hot import reads, and packages by package.json', async () => {
    const files = {
      'modules/demo.ts': `export * from 'hot:core'; export * from './lib/more'; export { yabba } from 'yabba';
        import text from './lib/text.any' with { type: 'text' }; export const length = text.length;`,
      'modules/lib/more.ts': `import data from '../../data.json'; import type { T } from './type'; export const all: T = data;`,
      'modules/lib/type.ts': 'export type T = object;',
      'modules/lib/text.any': 'yabba',
      'modules/core.ts': add,
      'modules/other.ts': add,
      'data.json': '{ "x": 1 }',
      'node_modules/yabba/package.json': '{ "name": "yabba", "main": "./lib/yabba.js" }',
      'node_modules/yabba/lib/yabba.js': `exports.yabba = 'doo';`,
    };
    const { sources } = await compile(project(files), 'demo');
    const hashed = [
      'modules/demo.ts',
      'modules/lib/more.ts',
      'modules/lib/text.any',
      'modules/core.ts',
      'data.json',
      'node_modules/yabba/package.json',
    ] as const;
    const hashOf = (path: (typeof hashed)[number]) => hash('sha256', files[path]).slice(0, 12);
    expect(sources).toEqual(Object.fromEntries(hashed.map(path => [path, hashOf(path)])));
  });

  it('lists the exported values by name, without types', async () => {
    const modules = project({
      'modules/demo.ts': `export * from './lib/more'; export default 1; export type T = 1; ${add}`,
      'modules/lib/more.ts': 'export class More {}',
    });
    expect((await compile(modules, 'demo')).bundle.exports.toSorted()).toEqual(['More', 'add', 'default']);
  });

  it('refuses export * of a hot import whose module has no source here', async () => {
    const error: unknown = await compile(projectOf(`export * from 'hot:absent';`), 'demo').catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toHaveProperty(
      'message',
      "demo has export * from 'hot:absent', but there is no modules/absent.ts: write it, or write the names in place of *",
    );
  });

  it('compiles a folder with an index.ts', async () => {
    const modules = project({
      'modules/demo/index.ts': `export { add } from './sum';`,
      'modules/demo/sum.ts': add,
    });
    expect((await compile(modules, 'demo')).bundle).toMatchObject({ file: 'modules/demo/index.ts', exports: ['add'] });
  });

  it('has the source in its map', async () => {
    const { bundle } = await compile(projectOf(add), 'demo');
    expect(JSON.parse(unpackMap(bundle.map))).toMatchObject({ sources: ['modules/demo.ts'], sourcesContent: [add] });
  });
});

describe('a compiled module', () => {
  it('runs on a node', async () => {
    expect(await callOn(projectOf('export function f(): number { return 4 + 5; }'), 'f')).toMatchObject({ json: '9' });
  });

  it("reaches Node's built-ins, also by import()", async () => {
    const source = `import { sep } from 'node:path';
      export const f = async () => [sep, (await import('node:os')).EOL];`;
    expect(await callOn(projectOf(source), 'f')).toMatchObject({ json: JSON.stringify(['/', '\n']) });
  });

  it("has the node's import.meta.hot.data and console", async () => {
    const source = `const { data } = import.meta.hot; data.count = 7;
      export const f = () => { console.log('counting'); return data.count; };`;
    expect(await callOn(projectOf(source), 'f')).toMatchObject({ json: '7', output: ['counting'] });
  });

  it('returns its error when it throws', async () => {
    const source = `export function f(): never { throw new RangeError('too far'); }`;
    expect(await callOn(projectOf(source), 'f')).toMatchObject({ type: 'RangeError', message: 'too far' });
  });
});

describe('the error of compile', () => {
  it('shows file, line and column, the source line, and a caret below the position', async () => {
    const error = await compileErrorOf(`${add}export const broken = 1 + ;\n`);
    expect(error.message.split('\n')).toEqual([
      'demo does not compile; nothing was sent',
      'modules/demo.ts:2:27: Unexpected ";"',
      '  2 | export const broken = 1 + ;',
      '                                ^',
    ]);
  });

  it('has the same data for programs', async () => {
    const { code, diagnostics } = await compileErrorOf(`export { x } from './nowhere';`);
    expect(code).toBe('compile');
    expect(diagnostics).toEqual([
      {
        text: 'Could not resolve "./nowhere"',
        file: 'modules/demo.ts',
        line: 1,
        column: 19,
        source: `export { x } from './nowhere';`,
        length: 11,
      },
    ]);
  });

  it('underlines the whole expression', async () => {
    const { message } = await compileErrorOf(`import pad from 'left-pad';\nexport { pad };`);
    const [, , source = '', carets = ''] = message.split('\n');
    expect(source.slice(carets.indexOf('^'), carets.length)).toBe(`'left-pad'`);
  });

  it('counts a tab as one column, and keeps tabs above the caret', async () => {
    const { message } = await compileErrorOf(`\t\texport const x =\t1 + ;`);
    expect(message.split('\n').slice(1)).toEqual([
      'modules/demo.ts:1:24: Unexpected ";"',
      '  1 | \t\texport const x =\t1 + ;',
      '      \t\t                \t    ^',
    ]);
  });

  it('counts characters, not bytes', async () => {
    const { message } = await compileErrorOf(`export const é = 'größer' + ;`);
    expect(message.split('\n').slice(1)).toEqual([
      'modules/demo.ts:1:29: Unexpected ";"',
      `  1 | export const é = 'größer' + ;`,
      '                                  ^',
    ]);
  });

  it('never underlines past the end of the line', async () => {
    const { diagnostics } = await compileErrorOf(
      `import { a } from './nothing'; import b from "ünknown";\nexport { a, b };`,
    );
    for (const { source, column, length } of diagnostics) {
      expect(column - 1 + length).toBeLessThanOrEqual(source.length);
    }
    expect(diagnostics.map(({ source, column, length }) => source.slice(column - 1, column - 1 + length))).toEqual([
      `'./nothing'`,
      '"ünknown"',
    ]);
  });

  it('lists every error at once', async () => {
    const { diagnostics } = await compileErrorOf(`import './a';\nimport 'left-pad';\nexport const x = 1;`);
    expect(diagnostics.map(({ text }) => text)).toEqual([
      'Could not resolve "./a"',
      'Could not resolve "left-pad": is left-pad installed (npm install left-pad)?',
    ]);
  });

  it('names the file with the error, when a module imports it', async () => {
    const modules = project({ 'modules/demo.ts': `export * from './lib/sum';`, 'modules/lib/sum.ts': 'export const' });
    await expect(compile(modules, 'demo')).rejects.toThrow('\nmodules/lib/sum.ts:1:13: ');
  });

  it('rejects a top-level await', async () => {
    expect((await compileErrorOf('export const x = await 1;')).message).toContain(
      'modules/demo.ts:1:18: Top-level await',
    );
  });
});

describe('UsageError', () => {
  it.each(['', '// nothing yet\n', 'export type Only = "a type";', 'console.log("no exports");'])(
    'rejects a module without exports: %j',
    async source => {
      await expect(compile(projectOf(source), 'demo')).rejects.toThrow(
        new UsageError('modules/demo.ts exports nothing: export at least one function'),
      );
    },
  );
});
