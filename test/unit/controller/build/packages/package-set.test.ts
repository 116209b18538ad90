import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  instanceIds,
  type LinkedPackage,
  packageSetOf,
} from '../../../../../controller/src/build/packages/package-set.ts';
import { decodePackageSet } from '../../../../../protocol/packages.ts';

/** Packages by name, each with the names of its dependencies. */
function linked(links: Readonly<Record<string, readonly string[]>>, contents: Readonly<Record<string, string>> = {}) {
  return new Map(
    Object.entries(links).map(([name, dependencies]): [string, LinkedPackage<string>] => [
      name,
      {
        name,
        version: '1.0.0',
        archive: { hash: (contents[name] ?? 'a').repeat(64), packedBytes: 1, chunks: 1 },
        dependencies: new Map(dependencies.map(each => [each, each])),
        externals: new Map(),
      },
    ]),
  );
}

describe('the id of an instance', () => {
  const links = { app: ['pg', 'ms'], pg: ['pool', 'types'], pool: ['pg'], types: [], ms: [] };

  it('changes with the content of what it reaches, also in a circle, and with nothing else', () => {
    const before = instanceIds(linked(links));
    const changes = (content: string) => {
      const after = instanceIds(linked(links, { [content]: 'b' }));
      return [...before].flatMap(([name, id]) => (after.get(name) === id ? [] : [name])).toSorted();
    };
    expect(changes('ms')).toEqual(['app', 'ms']);
    expect(changes('types')).toEqual(['app', 'pg', 'pool', 'types']);
    expect(changes('pool')).toEqual(['app', 'pg', 'pool']);
  });

  it('differs within a circle', () => {
    const ids = instanceIds(linked({ one: ['two'], two: ['three'], three: ['one', 'two'] }));
    expect(new Set(ids.values()).size).toBe(3);
  });

  it('is the same in whatever order packages and dependencies are found', () => {
    const names = ['a', 'b', 'c', 'd', 'e'] as const;
    const graphs = fc.dictionary(fc.constantFrom(...names), fc.subarray([...names]), { minKeys: 5, maxKeys: 5 });
    fc.assert(
      fc.property(graphs, graph => {
        const backwards = Object.entries(graph).map(([name, found]) => [name, found.toReversed()] as const);
        const ids = instanceIds(linked(graph));
        const other = instanceIds(linked(Object.fromEntries(backwards.toReversed())));
        expect(new Map(other)).toEqual(new Map(ids));
      }),
    );
  });
});

it('a package set has a package once that is installed in several places', () => {
  const ms = {
    name: 'ms',
    version: '2.0.0',
    archive: { hash: 'a'.repeat(64), packedBytes: 7, chunks: 1 },
    dependencies: new Map(),
    externals: new Map(),
  };
  const user = (at: string): LinkedPackage<string> => ({
    ...ms,
    name: `user-${at}`,
    dependencies: new Map([['ms', `/${at}/ms`]]),
  });
  const { bytes, hash } = packageSetOf(
    new Map([
      ['one', '/one'],
      ['two', '/two'],
    ]),
    new Map([
      ['/one', user('one')],
      ['/two', user('two')],
      ['/one/ms', ms],
      ['/two/ms', ms],
    ]),
  );
  const { roots, instances } = decodePackageSet(bytes, hash);
  expect(roots).toEqual({ one: 0, two: 2 });
  expect(instances.map(({ name, dependencies }) => [name, dependencies])).toEqual([
    ['user-one', { ms: 1 }],
    ['ms', {}],
    ['user-two', { ms: 1 }],
  ]);
});
