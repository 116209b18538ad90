import { describe, expect, it } from 'vitest';

import { hotExports } from '../../../../../../controller/src/build/preflight/child/hot-exports.ts';

type Names = Readonly<Record<string, unknown>>;

/** The exports of a module `core` as its importers get them, and how often a name was read. */
function imported(exports: object) {
  const used = { count: 0 };
  return { names: hotExports('core', exports, () => (used.count += 1)) as Names, used };
}

describe('the exports of a module of the set', () => {
  it('are the real ones, and reading them counts as a use', () => {
    class Core extends Map {}
    const { names, used } = imported({ Core, limit: 3 });
    expect(used.count).toBe(0);
    expect([names['Core'], names['limit']]).toEqual([Core, 3]);
    expect(used.count).toBe(2);
  });

  it('throw when a name is read that the module does not export', () => {
    const { names, used } = imported({});
    expect(() => names['add']).toThrow('no export add of module core is loaded');
    expect(used.count).toBe(1);
    expect([names['toJSON'], String(names['toString'])]).toEqual([undefined, 'undefined']);
  });

  it('are what esbuild takes for an ES module, with the names of the exports', async () => {
    const { names } = imported({ add: 1, less: 2 });
    expect([names['__esModule'], Object.keys(names)]).toEqual([true, ['add', 'less']]);
    expect(await Promise.resolve(names)).toBe(names);
  });
});
