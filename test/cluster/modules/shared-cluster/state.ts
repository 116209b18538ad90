import { describe, expect } from 'vitest';

import { it } from './cluster.ts';
import { moduleOnFred, valueOnFred } from './fred.ts';

describe('the state of a module', () => {
  it('stays on the nodes when it is removed, and is cleared by remove --state, also after the removal', async ({
    cluster,
  }) => {
    cluster.writeModule(
      'cleared',
      `const data = import.meta.hot.dataOf({ count: 0 });
       export const increment = (): number => (data.count += 1);`,
    );
    const incremented = async (): Promise<unknown> => {
      await cluster.push('cleared');
      return valueOnFred(cluster, 'cleared.increment()');
    };
    expect(await incremented()).toBe(1);
    await cluster.hotcast('remove', 'cleared');
    expect(await incremented()).toBe(2);
    await cluster.hotcast('remove', 'cleared');
    const { exitCode, stdout } = await cluster.hotcast('remove', 'cleared', '--state');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^cleared was removed before, now its state too$/m);
    expect((await cluster.history('cleared'))[0]?.note).toBe('remove --state');
    expect(await incremented()).toBe(1);
  });
});

describe('codeChange', () => {
  const flat = `
    const data = import.meta.hot.data as { count?: number };
    export const increment = (): number => (data.count = (data.count ?? 0) + 1);
    export const codeChange = (old: { history?: number[] }) => ({ count: old.history?.at(-1) ?? 0 });
  `;
  const listed = `
    const data = import.meta.hot.data as { history?: number[] };
    export const increment = (): number[] => {
      const history = (data.history ??= []);
      history.push((history.at(-1) ?? 0) + 1);
      return history;
    };
    export const codeChange = (old: { count: number }) => ({ history: [old.count] });
  `;

  it('migrates the data with a push, and back with a rollback', async ({ cluster }) => {
    cluster.writeModule('shape', flat);
    const first = await cluster.push('shape');
    expect(await valueOnFred(cluster, 'shape.increment()')).toBe(1);

    cluster.writeModule('shape', listed);
    expect((await cluster.push('shape')).exitCode).toBe(0);
    expect(await valueOnFred(cluster, 'shape.increment()')).toEqual([1, 2]);

    expect((await cluster.hotcast('rollback', 'shape')).exitCode).toBe(0);
    expect(await valueOnFred(cluster, 'shape.increment()')).toBe(3);
    expect((await moduleOnFred(cluster, 'shape')).module?.revision).toBe(first.revision);
  });

  it('that keeps instances of the earlier version makes the push warn, with their class and key', async ({
    cluster,
  }) => {
    const game = (more: string): string => `
      class Player {}
      const data = import.meta.hot.dataOf({ players: [new Player()] });
      export const isPlayer = (): boolean => data.players[0] instanceof Player;
      export const codeChange = (old: typeof data) => old; ${more}
    `;
    cluster.writeModule('game', game(''));
    await cluster.push('game');
    cluster.writeModule('game', game('export const more = 1;'));
    const { result } = await cluster.push('game');
    const warning = expect.stringMatching(
      /^game keeps instances of an earlier version's classes: Player in data\.players\./,
    ) as string;
    expect(result.nodes).toMatchObject([{ warnings: [warning] }, { warnings: [warning] }]);
    expect(await valueOnFred(cluster, 'game.isPlayer()')).toBe(false);
  });

  it('that throws on one node leaves every node on the previous version with its data', async ({ cluster }) => {
    const throwing = `
      export const increment = () => 'never';
      export const codeChange = (data: { count?: number }) => {
        if (data.count === 1) throw new RangeError('not from one');
        return {};
      };
    `;
    cluster.writeModule('careful', flat);
    const first = await cluster.push('careful');
    await valueOnFred(cluster, 'careful.increment()');
    cluster.writeModule('careful', throwing);
    const { exitCode, stdout } = await cluster.hotcast('push', 'careful');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^fred +refused +on_load_failure: RangeError: not from one$/m);
    expect(await valueOnFred(cluster, 'careful.increment()')).toBe(2);
    expect((await cluster.revisions())['bambam']).toMatchObject({ careful: first.revision });
  });
});
