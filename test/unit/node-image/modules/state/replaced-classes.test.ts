import { expect, it, vi } from 'vitest';

import { instancesIn } from '../../../../../node-image/src/modules/state/replaced-classes.ts';
import { type Host, hosts } from '../host.ts';

const host = hosts();

const PLAYER = `
  class Player { constructor(public name: string) {} greet() { return 'hello ' + this.name; } }
  const data = import.meta.hot.dataOf<{ players: Map<string, Player> }>({ players: new Map() });
  export const join = (name: string) => void data.players.set(name, new Player(name));
  export const greet = (name: string) => data.players.get(name)?.greet();
  export const isPlayer = (name: string) => data.players.get(name) instanceof Player;
`;
const WELCOME = PLAYER.replace('hello', 'welcome');
const WARNING =
  "game keeps instances of an earlier version's classes: Player in data.players. They run its methods, and instanceof is " +
  'false; Object.setPrototypeOf(instance, Player.prototype) gives them the new class';

async function warningsOf(node: Host, source: string): Promise<readonly string[] | undefined> {
  const result = await node.tryPush({ game: source });
  return result.status === 'ok' ? result.warnings : [result.detail];
}

/** A node with a player in its data. */
async function playing(): Promise<Host> {
  const node = host();
  await node.push({ game: PLAYER });
  await node.value('game', 'join', 'fred');
  return node;
}

it('a push warns of instances of the class of an earlier version, which run its methods', async () => {
  const node = await playing();
  expect(await warningsOf(node, WELCOME)).toEqual([WARNING]);
  expect([await node.value('game', 'greet', 'fred'), await node.value('game', 'isPlayer', 'fred')]).toEqual([
    'hello fred',
    false,
  ]);
  expect(node.log.logged.filter(({ level }) => level === 'warn')).toMatchObject([{ message: WARNING }]);
});

it('a push with a codeChange that keeps them warns too, and so does a rollback', async () => {
  const node = await playing();
  const first = node.server.current('game')?.revision ?? '';
  expect(await warningsOf(node, `${WELCOME} export const codeChange = (data: object) => data;`)).toEqual([WARNING]);
  expect(node.commit('game', first)).toMatchObject({ warnings: [WARNING] });
});

it.each([
  [
    'a codeChange that gives them the new class',
    `export const codeChange = (data: any) => { adopt(data); return data; };`,
  ],
  ['a top level that gives them the new class', `adopt(data);`],
  [
    'a codeChange that makes new ones',
    `export const codeChange = (old: any) => ({ players: new Map([...old.players].map(
    ([name, player]) => [name, new Player(player.name)])) });`,
  ],
])('%s causes no warning, and they have the new methods', async (_, more) => {
  const node = await playing();
  const adopt = `
    function adopt(data: any) { for (const player of data.players.values()) Object.setPrototypeOf(player, Player.prototype); }
  `;
  expect(await warningsOf(node, WELCOME + adopt + more)).toBeUndefined();
  expect([await node.value('game', 'greet', 'fred'), await node.value('game', 'isPlayer', 'fred')]).toEqual([
    'welcome fred',
    true,
  ]);
});

it('instances of classes that the module does not define cause no warning', async () => {
  const node = host();
  const source = `
    import { EventEmitter } from 'node:events';
    const { data } = import.meta.hot;
    data.emitter ??= new EventEmitter();
    data.url ??= new URL('http://fred');
    data.date ??= new Date();
    data.plain ??= Object.create(null);
    export const seen = () => data;
  `;
  await node.push({ game: source });
  expect(await warningsOf(node, `${source} export const next = 1;`)).toBeUndefined();
});

it('names three classes and where they are', async () => {
  const node = host();
  const source = `
    class A {} class B {} class C {} class D {} class E {}
    const { data } = import.meta.hot;
    data.all ??= [[new A()], new Set([new B()])]; data['the c'] ??= { c: new C() }; data.d ??= new D(); data.e ??= new E();
    export const seen = () => data;
  `;
  await node.push({ game: source });
  expect(await warningsOf(node, `${source} export const next = 1;`)).toEqual([
    expect.stringMatching(/: D in data\.d, E in data\.e, C in data\["the c"\] and 2 more\. They/),
  ]);
});

it('looks at a sample, the outer levels first, and runs no code of the module', () => {
  class Deep {
    level = 1;
  }
  let reads = 0;
  const count = (): number => (reads += 1);
  const data = {
    list: new Proxy([], { get: count, ownKeys: () => (count(), []) }),
    get now() {
      return count();
    },
    many: Array.from({ length: 100_000 }, () => ({})),
    deep: [{ x: new Map([['k', new Deep()]]) }],
  };
  expect(instancesIn(data)).toEqual(new Map([[Deep.prototype, 'deep']]));
  expect(instancesIn({ many: Array.from({ length: 2_000 }, () => [{}]), far: [[[[new Deep()]]]] }).size).toBe(1);
  const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`key${index}`, [new Deep()]]));
  expect(instancesIn(wide).size).toBe(0);
  expect(reads).toBe(0);
});

it('lists the keys of a large object only once, so that the next pushes do not take longer', () => {
  class Player {
    score = 0;
  }
  const players = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`p${index}`, new Player()]));
  const keys = vi.spyOn(Object, 'keys');
  for (let count = 0; count < 3; count += 1) {
    expect(instancesIn({ players })).toEqual(new Map([[Player.prototype, 'players']]));
  }
  expect(keys.mock.calls.filter(([value]) => value === players)).toHaveLength(1);
  keys.mockRestore();
});
