import { describe, expect, it } from 'vitest';

import { HotImports, UndefError } from '../../../../node-image/src/modules/hot-imports.ts';
import { hosts } from './host.ts';

const host = hosts();

/** A version with these exports, of which some can change. */
const exporting = (exports: Record<string, unknown>, live: string[] = []) => ({
  exports,
  bundle: { live },
});

const version = (name: string): string => `export const version = (): string => '${name}';`;

/** The ways to write an import of demo's `version`, and how it is called then. */
const imports = [
  ['by name', `import { version } from 'hot:demo';`, 'version()'],
  ['by another name', `import { version as v } from 'hot:demo';`, 'v()'],
  ['as a namespace', `import * as demo from 'hot:demo';`, 'demo.version()'],
  ['by import()', `const demo = import('hot:demo');`, '(await demo).version()'],
] as const;

const caller = (line: string, expression: string): string =>
  `${line} export const ask = async () => ${expression}; export const other = 1;`;

describe.each(imports)('a hot import %s', (_, line, expression) => {
  it('reaches the current version', async () => {
    const node = host();
    await node.push({ demo: version('one') });
    await node.push({ caller: caller(line, expression) });
    expect(await node.value('caller', 'ask')).toBe('one');
    await node.push({ demo: version('two') });
    expect(await node.value('caller', 'ask')).toBe('two');
  });

  it('throws undef at the call while the module is not loaded, and works after it is loaded', async () => {
    const node = host();
    await node.push({ caller: caller(line, expression) });
    expect(await node.call('caller', 'ask')).toMatchObject({
      failure: 'undef',
      message: 'no export version of module demo is loaded on node fred',
    });
    await node.push({ demo: version('one') });
    expect(await node.value('caller', 'ask')).toBe('one');
  });

  it('throws undef after the module, or the function in it, was removed', async () => {
    const node = host();
    const [demo] = await node.push({ demo: version('one'), caller: caller(line, expression) });
    await node.push({ demo: 'export const another = 1;' });
    expect(await node.call('caller', 'ask')).toMatchObject({ failure: 'undef' });
    node.commit('demo', demo?.revision ?? '');
    expect(await node.value('caller', 'ask')).toBe('one');
    node.commit('demo', null);
    expect(await node.call('caller', 'ask')).toMatchObject({ failure: 'undef' });
  });

  it('finds a module that is pushed with it, in either order', async () => {
    for (const names of [
      ['demo', 'caller'],
      ['caller', 'demo'],
    ]) {
      const node = host();
      const sources: Record<string, string> = { demo: version('one'), caller: caller(line, expression) };
      await node.push(Object.fromEntries(names.map(name => [name, sources[name] ?? ''])));
      expect(await node.value('caller', 'ask')).toBe('one');
    }
  });
});

describe('a hot import', () => {
  it.each([
    ['by default', `import version from 'hot:demo';`, 'version()'],
    ['by default, beside a name', `import version, { also } from 'hot:demo';`, 'version() + also()'],
    ['as the default of a namespace', `import * as demo from 'hot:demo';`, 'demo.default()'],
    ['as the default of import()', '', `(await import('hot:demo')).default()`],
  ])('reaches the default export: %s', async (_, line, expression) => {
    const demo = (name: string): string => `export default () => '${name}'; export const also = () => '';`;
    const node = host();
    await node.push({ caller: caller(line, expression) });
    expect(await node.call('caller', 'ask')).toMatchObject({ failure: 'undef' });
    await node.push({ demo: demo('one') });
    expect(await node.value('caller', 'ask')).toBe('one');
    await node.push({ demo: demo('two') });
    expect(await node.value('caller', 'ask')).toBe('two');
  });

  it('can be circular', async () => {
    const node = host();
    await node.push({
      even: `import { isOdd } from 'hot:odd'; export const isEven = (n: number): boolean => n === 0 || isOdd(n - 1);`,
      odd: `import { isEven } from 'hot:even'; export const isOdd = (n: number): boolean => n !== 0 && isEven(n - 1);`,
    });
    expect(await node.value('even', 'isEven', 7)).toBe(false);
  });

  it("of a variable sees its new values, and the next version's", async () => {
    const node = host();
    const demo = (start: number): string => `export let count = ${start}; export const more = () => { count += 1; };`;
    await node.push({ demo: demo(1), caller: caller(`import { count } from 'hot:demo';`, 'count') });
    await node.value('demo', 'more');
    expect(await node.value('caller', 'ask')).toBe(2);
    await node.push({ demo: demo(10) });
    expect(await node.value('caller', 'ask')).toBe(10);
  });

  it('does not change a function that the caller keeps', async () => {
    const node = host();
    await node.push({ demo: version('one') });
    await node.push({ caller: caller(`import { version } from 'hot:demo'; const kept = version;`, 'kept()') });
    await node.push({ demo: version('two') });
    expect(await node.value('caller', 'ask')).toBe('one');
  });

  it('refuses the module when it is called during the load and the other module is missing', async () => {
    const node = host();
    const source = `import { version } from 'hot:demo'; export const early = version();`;
    expect(await node.tryPush({ caller: source })).toMatchObject({
      reason: 'on_load_failure',
      detail: 'undef: no export version of module demo is loaded',
    });
    await node.push({ demo: version('one') });
    expect(await node.tryPush({ caller: source })).toEqual({ status: 'ok' });
  });

  it('fails the call of the caller when it throws undef', async () => {
    const node = host();
    await node.push({ caller: caller(`import { version } from 'hot:demo';`, 'version()') });
    await node.call('caller', 'ask');
    expect(node.server.describe()['caller']).toMatchObject({ calls: 1, errors: 1 });
  });
});

describe('modules of a set that use each other while they load', () => {
  const core = (name: string): string =>
    `export class Core { name = '${name}' } export const version = (): string => '${name}';`;
  const top = (name: string): string => `
    export const isOf = '${name}';
    import { Core, version } from 'hot:core';
    const seen = version();
    class Top extends Core {}
    export const ask = (): string => seen + new Top().name;
  `;

  it.each([
    ['in the order of their imports', (name: string) => ({ core: core(name), top: top(name) })],
    ['in another order', (name: string) => ({ top: top(name), core: core(name) })],
  ])('load together, given %s, and each sees the new versions', async (_, sources) => {
    const node = host();
    for (const name of ['one', 'two']) {
      await node.push(sources(name));
      expect(await node.value('top', 'ask')).toBe(name + name);
    }
  });

  it('are refused together, and others see the versions before', async () => {
    const node = host();
    await node.push({ user: caller(`import { version } from 'hot:core';`, 'version()') });
    const refused = { core: core('two'), top: `${top('two')} throw new Error(seen);` };
    expect(await node.tryPush(refused)).toMatchObject({ reason: 'on_load_failure', detail: 'Error: two' });
    expect(await node.call('user', 'ask')).toMatchObject({ failure: 'undef' });
    await node.push({ core: core('one') });
    expect(await node.tryPush(refused)).toMatchObject({ reason: 'on_load_failure', detail: 'Error: two' });
    expect(await node.value('user', 'ask')).toBe('one');
  });

  /** Two modules that import each other; the second calls the first while it loads. */
  const circle = (name: string) => ({
    even: `import { isOdd } from 'hot:odd'; export const isEven = (n: number): boolean => n === 0 || isOdd(n - 1);
           export const even = '${name}';`,
    odd: `import { even, isEven } from 'hot:even'; export const isOdd = (n: number): boolean => n !== 0 && isEven(n - 1);
          const seen = even + isEven(0); export const ask = () => seen + isOdd(7) + '${name}';`,
  });

  it.each([
    ['even', 'odd'],
    ['odd', 'even'],
  ] as const)('in a circle load in the order in which they need each other, given as %s %s', async (first, second) => {
    const node = host();
    const sources = circle('one');
    await node.push({ [first]: sources[first], [second]: sources[second] });
    expect(await node.value('odd', 'ask')).toBe('onetruetrueone');
    // Also when the node has known their names before.
    for (const module of [first, second]) node.commit(module, null);
    await node.push({ [first]: sources[first], [second]: sources[second] });
    expect(await node.value('odd', 'ask')).toBe('onetruetrueone');
  });

  it('in a circle see the current version of what is not evaluated yet', async () => {
    const node = host();
    await node.push(circle('one'));
    const { even, odd } = circle('two');
    await node.push({ odd, even });
    expect(await node.value('odd', 'ask')).toBe('onetruetruetwo');
  });

  it('in a circle are refused when both need the other one first, and the error says where it begins', async () => {
    const node = host();
    const needs = (module: string): string =>
      `import { f as g } from 'hot:${module}'; const seen = g(); export const f = () => seen;`;
    expect(await node.tryPush({ a: needs('b'), b: needs('a') })).toMatchObject({
      reason: 'on_load_failure',
      detail: 'undef: no export f of module a is loaded',
    });
    const caught = `import { f } from 'hot:b'; try { f(); } catch {} export const g = () => 1;`;
    const throwing = `import { g } from 'hot:a'; export const f = () => g(); throw new RangeError('no');`;
    expect(await node.tryPush({ a: caught, b: throwing })).toMatchObject({ detail: 'RangeError: no' });
    expect(node.server.describe()).toEqual({});
  });
});

describe('HotImports', () => {
  it('returns one object per module for ever', () => {
    const hotImports = new HotImports();
    const demo = hotImports.of('demo');
    hotImports.setExports('demo', exporting({ add: () => 1 }));
    expect(hotImports.of('demo')).toBe(demo);
    expect(hotImports.of('other')).not.toBe(demo);
  });

  it('has the functions themselves as own properties, so that a call costs a property read', () => {
    const hotImports = new HotImports();
    const add = (x: number, y: number): number => x + y;
    hotImports.setExports('demo', exporting({ add }));
    expect(Object.getOwnPropertyDescriptor(hotImports.of('demo'), 'add')).toMatchObject({ value: add });
  });

  it('has the names of the exports only', () => {
    const hotImports = new HotImports();
    hotImports.setExports('demo', exporting({ add: () => 1, gone: () => 1 }));
    hotImports.setExports('demo', exporting({ add: () => 1, come: () => 1 }));
    expect(Object.keys(hotImports.of('demo'))).toEqual(['add', 'come']);
    hotImports.setExports('demo', null);
    expect(Object.keys(hotImports.of('demo'))).toEqual([]);
  });

  it('keeps a variable live across versions, also when it becomes a function or is removed', () => {
    const hotImports = new HotImports();
    const demo = hotImports.of('demo');
    const exports: Record<string, unknown> = { count: 1 };
    hotImports.setExports('demo', exporting(exports));
    exports['count'] = 2;
    expect(demo['count']).toBe(2);
    const count = (): number => 3;
    hotImports.setExports('demo', exporting({ count }));
    expect(demo['count']).toBe(count);
    hotImports.setExports('demo', exporting({}));
    expect(() => demo['count']).toThrow(UndefError);
    hotImports.setExports('demo', exporting({ count: 4 }));
    expect(demo['count']).toBe(4);
    expect(Object.keys(demo)).toEqual(['count']);
  });

  it('throws undef for a missing name', () => {
    const demo = new HotImports().of('demo');
    expect(() => demo['add']).toThrow(new UndefError('no export add of module demo is loaded'));
  });

  it('can be awaited and inspected', async () => {
    const demo = new HotImports().of('demo');
    expect(await Promise.resolve(demo)).toBe(demo);
    expect(Object.prototype.toString.call(demo)).toBe('[object Object]');
    expect(JSON.stringify(demo)).toBe('{}');
  });
});
