import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { describe, expect, test as base, vi } from 'vitest';

import { startFleet } from '../../../packages/testing/src/fleet/fleet.ts';
import { projectImage } from '../../support/cluster/project-image.ts';
import { ROOT } from '../../support/shell.ts';

interface Modules {
  readonly demo: { readonly add: (a: number, b: number) => number; readonly fail: () => never };
  readonly data: {
    readonly echo: (...values: unknown[]) => unknown;
    readonly store: { readonly get: (key: string) => string };
  };
  readonly counter: { readonly increment: () => number };
  readonly web: object;
  readonly prices: { readonly total: (...items: string[]) => number };
}

const DATA = `
  export const echo = (...values: unknown[]): unknown => values;
  export const store = { get: (key: string): string => key };
`;

const FAILING = `
  export const add = (a: number, b: number): number => a + b;
  export const fail = (): never => {
    throw new RangeError('no rocks');
  };
`;

/** Imports a file that is beside the modules folder, by a path of the project's tsconfig.json. */
const PRICES = `
  import { PRICES } from '@/prices.ts';
  export const total = (...items: string[]): number => items.reduce((sum, item) => sum + (PRICES[item] ?? 0), 0);
`;

const TSCONFIG = {
  compilerOptions: {
    target: 'esnext',
    module: 'preserve',
    strict: true,
    skipLibCheck: true,
    types: ['node', '@hotcast/types'],
    allowImportingTsExtensions: true,
    noEmit: true,
    paths: { '@/*': ['./shared/*'] },
  },
};

const images = projectImage('node').replace(/node$/, '{service}');

const test = base
  .extend('examples', { scope: 'file' }, join(ROOT, 'modules'))
  .extend('modules', { scope: 'file' }, ({ examples }, { onCleanup }) => {
    const folder = mkdtempSync(join(tmpdir(), 'hotcast-test-'));
    onCleanup(() => rmSync(folder, { recursive: true }));
    // The controller, which is another user, reads the project.
    chmodSync(folder, 0o755);
    const modules = join(folder, 'modules');
    for (const inside of [modules, join(folder, 'shared')]) mkdirSync(inside);
    for (const name of ['counter.ts', 'demo.ts', 'web.ts']) cpSync(join(examples, name), join(modules, name));
    symlinkSync(join(examples, 'node_modules'), join(modules, 'node_modules'));
    writeFileSync(join(modules, 'data.ts'), DATA);
    writeFileSync(join(modules, 'prices.ts'), PRICES);
    writeFileSync(join(folder, 'shared/prices.ts'), 'export const PRICES: Record<string, number> = { club: 1200 };\n');
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
    return modules;
  })
  .extend('fleet', { scope: 'file' }, async ({ modules }, { onCleanup }) => {
    const fleet = await startFleet<Modules>({ nodes: 2, modules, images });
    onCleanup(() => fleet[Symbol.asyncDispose]());
    return fleet;
  });

describe('a fleet', () => {
  test('keeps state and processes over an update of every node', async ({ fleet }) => {
    await fleet.push('counter');
    expect(await fleet.call('counter.increment')).toEqual({ fred: 1, bambam: 1 });
    const before = await fleet.processes();
    fleet.edit('counter', source => source.replace('by = 1', 'by = 10'));
    const { nodes } = await fleet.push('counter');
    expect(nodes.map(({ status }) => status)).toEqual(['loaded', 'loaded']);
    expect(await fleet.call('counter.increment')).toEqual({ fred: 11, bambam: 11 });
    expect(await fleet.node('bambam').call('counter.increment')).toBe(21);
    expect(await fleet.processes()).toEqual(before);
    expect((await fleet.status()).nodes.map(({ state }) => state)).toEqual(['ok', 'ok']);
  });

  test('carries what is data to a function and back', async ({ fleet }) => {
    await fleet.push('data');
    const values = [1.5, -0, 10n, 'x', null, undefined, new Date(0), new Map([['k', new Set([1])]]), { a: [true] }];
    expect(await fleet.node('fred').call('data.echo', ...values)).toEqual(values);
    expect(await fleet.node('fred').call('data.store.get', 'key')).toBe('key');
    await expect(fleet.node('fred').call('data.echo', () => 1)).rejects.toThrow(
      'an argument of a call is data: not function',
    );
  });

  test('has the project, of which modules import anything', async ({ fleet }) => {
    await fleet.push('prices');
    expect(await fleet.call('prices.total', 'club', 'club')).toEqual({ fred: 2400, bambam: 2400 });
    fleet.edit('prices', source => source.replace(': number =>', ': string =>'));
    await expect(fleet.push('prices')).rejects.toThrow(/modules\/prices\.ts:3:\d+: .*not assignable/);
  });

  test('changes no file of the project itself', ({ fleet, modules }) => {
    const said = '../shared/prices.ts is outside of the modules folder, and a fleet has a copy of that folder only';
    expect(() => fleet.write('../shared/prices.ts', 'export const PRICES = {};\n')).toThrow(said);
    expect(() => fleet.edit('../shared/prices.ts', () => '')).toThrow(said);
    expect(readFileSync(join(modules, '../shared/prices.ts'), 'utf8')).toContain('club: 1200');
  });

  test('says with file, line and caret that a module does not compile, or has wrong types', async ({ fleet }) => {
    fleet.write('demo', 'export const add = (a: number) => a +;\n');
    await expect(fleet.push('demo')).rejects.toThrow(/modules\/demo\.ts:1:38: Unexpected ";"\n.*\n +\^/);
    fleet.write('demo', 'export const add = (a: number): string => a;\n');
    await expect(fleet.push('demo')).rejects.toThrow(/modules\/demo\.ts:1:43: .*not assignable/);
  });

  test('says which node fails, with the place in the module', async ({ fleet }) => {
    await expect(fleet.node('fred').call('demo.add', 1, 2)).rejects.toThrow(
      'demo.add on fred: module demo is not loaded',
    );
    fleet.write('demo', FAILING);
    await fleet.push('demo');
    const failed = await fleet
      .node('fred')
      .call('demo.fail')
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ name: 'RangeError', message: 'demo.fail on fred: no rocks' });
    expect((failed as Error).stack).toContain('modules/demo.ts:4:11');
    await expect(fleet.call('demo.fail')).rejects.toThrow('demo.fail on fred: no rocks\ndemo.fail on bambam: no rocks');
    // @ts-expect-error -- Types say what can be called.
    await expect(fleet.node('fred').call('demo.remove', 1)).rejects.toThrow('exports no function remove');
    expect(() => fleet.node('wilma')).toThrow('no node wilma: the nodes are fred, bambam');
  });

  test('serves modules by HTTP', async ({ fleet }) => {
    await fleet.push('web');
    const response = await fetch(fleet.url('web', '/hello/Fred'));
    expect(await response.text()).toBe('Hello Fred\n');
  });

  test('brings a killed node back to what was pushed meanwhile', async ({ fleet }) => {
    fleet.write('demo', FAILING);
    await fleet.push('demo');
    await fleet.kill('bambam');
    fleet.edit('demo', source => source.replace('a + b', 'a * b'));
    await fleet.push('demo').catch((error: unknown) => expect(String(error)).toMatch(/bambam +silent/));
    await fleet.node('bambam').start();
    await expect.poll(() => fleet.call('demo.add', 4, 5), { timeout: 30_000 }).toEqual({ fred: 20, bambam: 20 });
    expect((await fleet.logs('bambam')).some(({ msg }) => msg === 'ready')).toBe(true);
    expect((await fleet.hotcast('rollback', 'demo')).exitCode).toBe(0);
    expect(await fleet.call('demo.add', 4, 5)).toEqual({ fred: 9, bambam: 9 });
  });
});

describe('a test that fails', () => {
  const printed: string[] = [];

  test.fails('has started a fleet', { timeout: 180_000 }, async ({ modules }) => {
    vi.spyOn(console, 'error').mockImplementation(text => void printed.push(String(text)));
    await using fleet = await startFleet<Modules>({ nodes: 1, modules, images });
    fleet.write('demo', FAILING);
    await fleet.push('demo');
    await fleet.node('fred').call('demo.fail');
  });

  test('has the last lines of all containers printed', () => {
    vi.restoreAllMocks();
    const [logs = ''] = printed;
    expect(printed).toHaveLength(1);
    expect(logs).toMatch(/^the logs of hotcast-test-/);
    expect(logs).toMatch(/^fred +\| \d\d:\d\d:\d\d\.\d{3} demo@[0-9a-f]+: .*loaded/m);
    expect(logs).toMatch(/^controller +\| \d\d:\d\d:\d\d\.\d{3} ready$/m);
  });
});

describe('a fleet that can not start', () => {
  test('says why, when its socket can not be made, and leaves nothing behind', async ({ modules }) => {
    // A path of a socket is cut after so many bytes, or refused: here that is a folder.
    const folder = join(dirname(modules), 'long').padEnd(108, '-');
    mkdirSync(folder);
    vi.stubEnv('TMPDIR', folder);
    await expect(startFleet({ modules, images })).rejects.toThrow(/^listen (?:EADDRINUSE|EINVAL): .*control\.sock$/);
    vi.unstubAllEnvs();
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  base('says which image is missing, and what to do', async () => {
    const start = startFleet({ modules: join(ROOT, 'modules'), images: 'hotcast-test-none/{service}:0.0.0' });
    await expect(start).rejects.toThrow(
      /^the image hotcast-test-none\/\S+:0\.0\.0 is not here and can't be pulled \(.*HOTCAST_IMAGES/s,
    );
  });

  base('says which folder is missing', async () => {
    await expect(startFleet({ modules: '/nowhere/modules' })).rejects.toThrow(
      'there is no modules folder /nowhere/modules',
    );
  });
});
