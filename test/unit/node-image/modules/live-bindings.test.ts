import { describe, expect, it } from 'vitest';

import { decodeValue } from '../../../../protocol/values/decode.ts';
import { type Host, hosts } from './host.ts';

const host = hosts();

/** `core` at one revision: an export of each kind. `change` gives the variables a value for the next one. */
const core = (n: number): string => `
  export const limit = ${n};
  export const label = Symbol('label ${n}');
  export const settings = { get size() { return ${n}; } };
  export class Shape { static sides = ${n}; sides = ${n}; }
  export function plain() { return ${n}; }
  export let count = ${n};
  export let handler = () => ${n};
  export let [first] = [${n}];
  export const change = () => { count += 0.5; handler = () => ${n}.5; [first] = [${n}.5]; };
  export { plain as renamed, limit as 'quoted name' };
  export default () => ${n};
`;

/** An expression over `core`'s exports that gives its number, as an importer writes it. */
const kinds = {
  constant: (from: string) => `${from}limit`,
  symbol: (from: string) => `Number(${from}label.description.slice(6))`,
  getter: (from: string) => `${from}settings.size`,
  'class, constructed': (from: string) => `new ${from}Shape().sides`,
  'class, its static field': (from: string) => `${from}Shape.sides`,
  function: (from: string) => `${from}plain()`,
  'renamed function': (from: string) => `${from}renamed()`,
} as const;

const changing = {
  'variable of numbers': (from: string) => `${from}count`,
  'variable of functions': (from: string) => `${from}handler()`,
  'variable that a pattern assigns': (from: string) => `${from}first`,
} as const;

const NAMES = 'limit, label, settings, Shape, plain, renamed, count, handler, first';

const all = { ...kinds, ...changing };

/** The functions of a module that ask for each kind of export. `from` is what stands before the name of an export. */
const askEach = (from: string): string =>
  Object.values(all)
    .map((expression, index) => `export const ask${index} = () => ${expression(from)};`)
    .join('\n');

/** How a module reaches `core`: its own source with the functions, and modules or files between them. */
const ways: Record<string, Record<string, string>> = {
  'by name': { caller: `import { ${NAMES} } from 'hot:core'; ${askEach('')}` },
  'as a namespace': { caller: `import * as core from 'hot:core'; ${askEach('core.')}` },
  'by import()': {
    caller: askEach('core.').replaceAll(
      /\(\) => (.*);$/gm,
      `async () => { const core = await import('hot:core'); return $1; };`,
    ),
  },
  're-exported by name': {
    between: `export { ${NAMES} } from 'hot:core';`,
    caller: `import { ${NAMES} } from 'hot:between'; ${askEach('')}`,
  },
  're-exported as a namespace': {
    between: `export * as core from 'hot:core';`,
    caller: `import { core } from 'hot:between'; ${askEach('core.')}`,
  },
  're-exported by export *': {
    between: `export * from 'hot:core';`,
    caller: `import { ${NAMES} } from 'hot:between'; ${askEach('')}`,
  },
  're-exported by export * of a namespace': {
    between: `export * from 'hot:core';`,
    caller: `import * as core from 'hot:between'; ${askEach('core.')}`,
  },
  're-exported by export * through a file': {
    between: `export * from './lib/all';`,
    'lib/all': `export * from 'hot:core';`,
    caller: `import * as core from 'hot:between'; ${askEach('core.')}`,
  },
};

/** `core` at one revision with a default export, and an expression over it that gives its number. */
const defaults: Record<string, readonly [core: (n: number) => string, expression: (name: string) => string]> = {
  'arrow function': [n => `export default () => ${n};`, name => `${name}()`],
  'function declaration': [n => `export default function named() { return ${n}; }`, name => `${name}()`],
  class: [n => `export default class { sides = ${n}; }`, name => `new ${name}().sides`],
  constant: [n => `export default ${n};`, name => name],
  symbol: [n => `export default Symbol('label ${n}');`, name => `Number(${name}.description.slice(6))`],
  getter: [n => `export default { get size() { return ${n}; } };`, name => `${name}.size`],
  'variable that changes': [
    n => `let it = ${n}; export { it as default }; export const change = () => { it += 0.5; };`,
    name => name,
  ],
};

/** How a module reaches the default export of `core`. */
const defaultWays: Record<string, (expression: (name: string) => string) => Record<string, string>> = {
  'by its name': expression => ({ caller: `import it from 'hot:core'; export const ask = () => ${expression('it')};` }),
  'as default': expression => ({
    caller: `import { default as it } from 'hot:core'; export const ask = () => ${expression('it')};`,
  }),
  'as a namespace': expression => ({
    caller: `import * as core from 'hot:core'; export const ask = () => ${expression('core.default')};`,
  }),
  'by import()': expression => ({
    caller: `export const ask = async () => { const core = await import('hot:core'); return ${expression('core.default')}; };`,
  }),
  're-exported': expression => ({
    between: `export { default } from 'hot:core';`,
    caller: `import it from 'hot:between'; export const ask = () => ${expression('it')};`,
  }),
  're-exported with a name': expression => ({
    between: `export { default as it } from 'hot:core';`,
    caller: `import { it } from 'hot:between'; export const ask = () => ${expression('it')};`,
  }),
};

const asks = Object.fromEntries(Object.keys(all).map((kind, index) => [kind, `ask${index}`]));

describe('an export of any kind', () => {
  it.each(Object.entries(ways))(
    'imported %s is that of the current version before a swap, after it, after a removal and after a restart',
    (_, sources) => expectLive(core, sources, Object.keys(changing), asks),
  );
});

describe.each(Object.keys(defaultWays))('the default export, imported %s,', way => {
  it.each(Object.keys(defaults))('a %s, is that of the current version at each of these times', async kind => {
    const [source, expression] = defaults[kind] ?? [core, String];
    await expectLive(source, defaultWays[way]?.(expression) ?? {}, kind === 'variable that changes' ? ['it'] : []);
  });
});

it.each([
  ['renamed by the importer', { caller: `import { limit as most } from 'hot:core'; export const ask = () => most;` }],
  ['with a quoted name', { caller: `import { 'quoted name' as it } from 'hot:core'; export const ask = () => it;` }],
  [
    're-exported with another name',
    {
      between: `export { limit as most, 'quoted name' as it } from 'hot:core';`,
      caller: `import { most, it } from 'hot:between'; export const ask = () => (most + it) / 2;`,
    },
  ],
  [
    'imported and then exported',
    {
      between: `import { limit, plain } from 'hot:core'; export { limit, plain as renamed };`,
      caller: `import { limit, renamed } from 'hot:between'; export const ask = () => (limit + renamed()) / 2;`,
    },
  ],
])('an import %s is that of the current version at each of these times', async (_, sources) => {
  await expectLive(core, sources, []);
});

/**
 * Asks `caller` for the number of `core` before a swap, after it, after a removal and after a restart.
 *
 * @param changingKinds the kinds of exports that `change` gives another value.
 * @param askers the functions of `caller` for each kind of export.
 */
async function expectLive(
  coreAt: (n: number) => string,
  sources: Readonly<Record<string, string>>,
  changingKinds: readonly string[],
  askers: Readonly<Record<string, string>> = { it: 'ask' },
): Promise<void> {
  const node = host();
  const answers = async (from: Host): Promise<Record<string, unknown>> => {
    const found = Object.entries(askers).map(async ([kind, ask]) => {
      const answer = await from.call('caller', ask);
      return [kind, answer.status === 'error' ? answer.failure : decodeValue(answer.json)] as const;
    });
    return Object.fromEntries(await Promise.all(found));
  };
  const each = (value: (kind: string) => unknown) =>
    Object.fromEntries(Object.keys(askers).map(kind => [kind, value(kind)]));
  const [first] = await node.push({ core: coreAt(1), ...sources });
  const caller = node.server.current('caller');
  expect(await answers(node)).toEqual(each(() => 1));
  await node.push({ core: coreAt(2), ...sources });
  expect(await answers(node)).toEqual(each(() => 2));
  if (changingKinds.length > 0) {
    await node.value('core', 'change');
    expect(await answers(node)).toEqual(each(kind => (changingKinds.includes(kind) ? 2.5 : 2)));
  }
  node.commit('core', null);
  expect(await answers(node)).toEqual(each(() => 'undef'));
  node.commit('core', first?.revision ?? '');
  expect(await answers(node)).toEqual(each(() => 1));
  // It has not been loaded again.
  expect(node.server.current('caller')).toBe(caller);

  const restarted = host();
  for (const bundle of await node.compile({ core: coreAt(3), ...sources }).then(bundles => bundles.toReversed())) {
    restarted.load(bundle);
    if (bundle.module === 'caller') expect(await answers(restarted)).toEqual(each(() => 'undef'));
  }
  expect(await answers(restarted)).toEqual(each(() => 3));
}

describe.each([
  ['as a namespace', `import * as core from 'hot:core'; export const names = () => Object.keys(core);`],
  ['by import()', `export const names = async () => Object.keys(await import('hot:core'));`],
])('the namespace of a hot import %s', (_, caller) => {
  it('has the names of the current version', async () => {
    const node = host();
    await node.push({ caller });
    expect(await node.value('caller', 'names')).toEqual([]);
    await node.push({ core: 'export const one = 1; export const two = () => 2;' });
    expect(await node.value('caller', 'names')).toEqual(['one', 'two']);
    await node.push({ core: 'export const two = () => 2; export const three = 3;' });
    expect(await node.value('caller', 'names')).toEqual(['two', 'three']);
    node.commit('core', null);
    expect(await node.value('caller', 'names')).toEqual([]);
  });
});

describe('export * from a hot import', () => {
  it('passes on what the other module exports when it is compiled, without the default export and names of its own', async () => {
    const node = host();
    const [between] = await node.push({
      between: `export * from 'hot:core'; export const two = 'own';`,
      core: 'export const one = 1; export const two = 2; export default 3;',
    });
    expect(between?.exports.toSorted()).toEqual(['one', 'two']);
    await node.push({ caller: `import { one, two } from 'hot:between'; export const ask = () => [one, two];` });
    expect(await node.value('caller', 'ask')).toEqual([1, 'own']);
  });

  it('is in the namespace of a file that only the module itself reads', async () => {
    const node = host();
    const [between] = await node.push({
      between: `import * as all from './lib/all'; export const ask = () => [all.one, Object.keys(all)];`,
      'lib/all': `export * from 'hot:core';`,
      core: 'export const one = 1;',
    });
    expect(between?.exports).toEqual(['ask']);
    expect(await node.value('between', 'ask')).toEqual([1, ['one']]);
  });

  it('may be circular', async () => {
    const node = host();
    await node.push({
      left: `export * from 'hot:right'; export const l = () => 'l';`,
      right: `export * from 'hot:left'; export const r = () => 'r';`,
    });
    expect([await node.value('left', 'r'), await node.value('right', 'l')]).toEqual(['r', 'l']);
  });
});

describe('an export that does not exist', () => {
  it.each(['limit()', 'limit * 2', 'limit.size', 'new limit()', '(class extends limit {})', 'limit'])(
    'throws undef when %s reads it, and nothing after the module was loaded',
    async expression => {
      const node = host();
      await node.push({ caller: `import { limit } from 'hot:core'; export const ask = () => typeof (${expression});` });
      const message = 'no export limit of module core is loaded on node fred';
      expect(await node.call('caller', 'ask')).toMatchObject({ failure: 'undef', message });
      await node.push({ core: 'export const limit = Object.assign(function () {}, { size: 7 });' });
      expect((await node.call('caller', 'ask')).status).toBe('value');
    },
  );

  it('refuses a module that reads it while it loads', async () => {
    const node = host();
    const caller = `import { Shape } from 'hot:core'; export class Square extends Shape {}`;
    expect(await node.tryPush({ caller })).toMatchObject({
      reason: 'on_load_failure',
      detail: 'undef: no export Shape of module core is loaded',
    });
  });
});
