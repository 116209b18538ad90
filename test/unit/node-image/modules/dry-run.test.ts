import { describe, expect, it } from 'vitest';

import { compile } from '../../../../controller/src/build/compile.ts';
import type { DryRun } from '../../../../node-image/src/modules/dry-run.ts';
import { projects } from '../../projects.ts';
import { type Host, hosts } from './host.ts';

const host = hosts();
const project = projects();

const COUNTER = `
  const { data } = import.meta.hot;
  data.counts ??= [];
  export function add() { return data.counts.push('one'); }
`;

/** Prepares a module's source and tries it in a dry run. */
async function dryRunOf(on: Host, module: string, source: string): Promise<DryRun> {
  const { bundle } = await compile(project({ [`modules/${module}.ts`]: source }), module);
  on.server.prepare(bundle);
  return on.server.dryRun([bundle]);
}

describe('dryRun', () => {
  it('changes neither the running version nor its data', async () => {
    const fred = host();
    await fred.push({ counter: COUNTER });
    await fred.value('counter', 'add');
    const before = fred.server.describe();
    const next = `import.meta.hot.data.counts.length = 0; export const add = () => 'new';`;
    expect(await dryRunOf(fred, 'counter', next)).toEqual({ status: 'would_load' });
    expect(fred.server.describe()).toEqual(before);
    expect(await fred.value('counter', 'add')).toBe(2);
  });

  it('reports what a codeChange of the live data would throw, and does not change the data', async () => {
    const fred = host();
    await fred.push({ counter: COUNTER });
    await fred.value('counter', 'add');
    const change = (limit: number) => `
      export function codeChange(old) {
        if (old.counts.length > ${limit}) throw new RangeError('too many');
        old.counts.length = 0;
        return old;
      }
      export const add = () => 'new';
    `;
    expect(await dryRunOf(fred, 'counter', change(0))).toEqual({
      status: 'refused',
      reason: 'on_load_failure',
      detail: 'RangeError: too many',
    });
    expect(await dryRunOf(fred, 'counter', change(1))).toEqual({ status: 'would_load' });
    expect(await fred.value('counter', 'add')).toBe(2);
  });

  it('ends the evaluated version immediately: no timer fires, and dispose is called', async () => {
    const fred = host();
    const source = `
      const { signal, dispose } = import.meta.hot;
      const seen = globalThis.dryRunSeen = [];
      setTimeout(() => seen.push('timer'), 0);
      setImmediate(() => seen.push('immediate'));
      signal.addEventListener('abort', () => seen.push('aborted'));
      dispose(() => seen.push('disposed'));
      export const x = 1;
    `;
    expect(await dryRunOf(fred, 'timers', source)).toEqual({ status: 'would_load' });
    const { dryRunSeen } = globalThis as unknown as { readonly dryRunSeen: string[] };
    await new Promise(resolve => setTimeout(resolve, 5));
    expect(dryRunSeen.toSorted()).toEqual(['aborted', 'disposed']);
    Reflect.deleteProperty(globalThis, 'dryRunSeen');
  });

  it('gives a module the values of the live data that are not copied', async () => {
    const fred = host();
    await fred.push({ holder: `import.meta.hot.data.held = () => 1; export const x = 1;` });
    const source = `import.meta.hot.data.held(); export const x = 2;`;
    expect(await dryRunOf(fred, 'holder', source)).toEqual({ status: 'would_load' });
  });

  it('does not try a module whose data holds an instance, which the new version could change', async () => {
    const fred = host();
    const player = (greeting: string): string => `
      class Player { greet() { return '${greeting}'; } }
      const { data } = import.meta.hot;
      data.players ??= [new Player()];
      for (const player of data.players) Object.setPrototypeOf(player, Player.prototype);
      export const greet = () => data.players[0].greet();
    `;
    await fred.push({ game: player('hello') });
    expect(await dryRunOf(fred, 'game', player('welcome'))).toEqual({
      status: 'not_tried',
      detail: "the data of game can't be copied: data.players holds an instance of Player",
    });
    expect(await fred.value('game', 'greet')).toBe('hello');
  });

  it('reports that it did not try a change of the live data in place', async () => {
    const fred = host();
    await fred.push({ holder: `import.meta.hot.data.big = 1; export const x = 1;` });
    const source = `export const codeChangeInPlace = (data: object) => data;`;
    expect(await dryRunOf(fred, 'holder', source)).toEqual({
      status: 'not_tried',
      detail: 'holder changes its data in place',
    });
  });

  it('tries modules of a set as a commit loads them, and leaves what others import as it was', async () => {
    const fred = host();
    const user = `import { version } from 'hot:core'; export const ask = () => version();`;
    await fred.push({ core: `export const version = () => 'one';`, user });
    const sources = {
      'modules/top.ts': `import { version } from 'hot:core'; if (version() !== 'two') throw new Error(version()); export const x = 1;`,
      'modules/core.ts': `export const version = () => 'two';`,
    };
    const modules = project(sources);
    const bundles = await Promise.all(['top', 'core'].map(async name => (await compile(modules, name)).bundle));
    for (const bundle of bundles) fred.server.prepare(bundle);
    expect(fred.server.dryRun(bundles)).toEqual({ status: 'would_load' });
    expect(await fred.value('user', 'ask')).toBe('one');
  });

  it('refuses a revision that is not prepared', () => {
    const target = { module: 'demo', revision: 'f'.repeat(64) };
    expect(host().server.dryRun([target])).toMatchObject({ status: 'refused', reason: 'nofile' });
  });
});
