import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DecodeError } from '../../../protocol/errors.ts';
import {
  archiveHashOf,
  decodeArchive,
  decodePackageSet,
  encodeArchive,
  encodePackageSet,
  type PackageSet,
  packageSetHashOf,
} from '../../../protocol/packages.ts';

const digest = (digit: string): string => digit.repeat(64);

const SET: PackageSet = {
  roots: { pg: 0, '@scope/pool': 1 },
  instances: [
    {
      id: digest('a'),
      name: 'pg',
      version: '8.0.0',
      archive: digest('1'),
      packedBytes: 9,
      chunks: 1,
      dependencies: { pool: 1 },
    },
    {
      id: digest('b'),
      name: '@scope/pool',
      version: '',
      archive: digest('2'),
      packedBytes: 0,
      chunks: 2,
      dependencies: { pg: 0 },
    },
  ],
};

const changed = (change: (set: PackageSet) => object): Uint8Array =>
  Buffer.from(JSON.stringify(change(structuredClone(SET))));

const paths = fc.stringMatching(/^[a-z]{1,4}(\/[a-z]{1,4}){0,2}$/);
const files = fc.dictionary(paths, fc.uint8Array({ maxLength: 40 })).map(all => new Map(Object.entries(all)));

describe('a package set', () => {
  it('is the same after encoding and decoding', () => {
    const bytes = encodePackageSet(SET);
    expect(decodePackageSet(bytes, packageSetHashOf(bytes))).toEqual(SET);
  });

  it('is not decoded under another hash', () => {
    expect(() => decodePackageSet(encodePackageSet(SET), digest('0'))).toThrow(DecodeError);
  });

  it.each([
    ['an index without an instance', changed(set => ({ ...set, roots: { pg: 2 } }))],
    [
      'a dependency without an instance',
      changed(({ instances, ...set }) => ({ ...set, instances: instances.slice(0, 1) })),
    ],
    ['a name that leads out of node_modules', changed(set => ({ ...set, roots: { '../pg': 0 } }))],
    [
      'a dependency that leads out of node_modules',
      changed(({ instances: [pg], ...set }) => ({
        ...set,
        instances: [{ ...pg, dependencies: { '@scope/../..': 0 } }],
      })),
    ],
    [
      'an instance without a chunk',
      changed(({ instances: [pg], ...set }) => ({ ...set, roots: {}, instances: [{ ...pg, chunks: 0 }] })),
    ],
  ])('is not decoded with %s', (_, bytes) => {
    expect(() => decodePackageSet(bytes, packageSetHashOf(bytes))).toThrow(DecodeError);
  });
});

describe('an archive', () => {
  it('has the same files after encoding and decoding', () => {
    fc.assert(
      fc.property(files, files, (installed, converted) => {
        const decoded = decodeArchive(encodeArchive({ files: installed, converted }));
        const plain = (all: ReadonlyMap<string, Uint8Array>) =>
          new Map([...all].map(([path, bytes]) => [path, [...bytes]]));
        expect([plain(decoded.files), plain(decoded.converted)]).toEqual([plain(installed), plain(converted)]);
      }),
    );
  });

  it('has the same hash in whatever order its files are found', () => {
    fc.assert(
      fc.property(files, installed => {
        const backwards = new Map([...installed].toReversed());
        const [one, other] = [installed, backwards].map(each =>
          archiveHashOf(encodeArchive({ files: each, converted: new Map() })),
        );
        expect(one).toBe(other);
      }),
    );
  });

  it('is not decoded when it is cut off or has more bytes than its files', () => {
    const whole = Buffer.from(encodeArchive({ files: new Map([['a.js', Buffer.from('abc')]]), converted: new Map() }));
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => decodeArchive(whole.subarray(0, length))).toThrow(DecodeError);
    }
    expect(() => decodeArchive(Buffer.concat([whole, Buffer.from('x')]))).toThrow(DecodeError);
  });

  it.each(['../a.js', '/a.js', 'a/../../b.js', 'a//b.js', './a.js', String.raw`a\b.js`, 'a\0.js', ''])(
    'has no file outside of its folder: %j',
    path => {
      const encoded = encodeArchive({ files: new Map([[path, Buffer.from('')]]), converted: new Map() });
      expect(() => decodeArchive(encoded)).toThrow(DecodeError);
    },
  );
});
