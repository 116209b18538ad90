import { gzipSync } from 'node:zlib';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeBundle, encodeBundle } from '../../../protocol/bundle.ts';
import { encode } from '../../../protocol/codec.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { MAX_UNPACKED_BYTES } from '../../../protocol/limits.ts';
import { mapHashOf, revisionOf } from '../../../protocol/revision.ts';
import { bundleOf, moduleNames, revisions, texts } from '../fixtures.ts';

const demo = bundleOf('demo', 'exports.add = (x, y) => x + y;\n'.repeat(20));

/** esbuild writes UTF-8, which has no lone surrogates. */
const code = texts.map(text => Buffer.from(text).toString());
const byteArrays = fc.uint8Array().map(array => Buffer.from(array));
const cache = fc.option(fc.record({ runtime: texts, data: byteArrays }));

const NO_MAP = Buffer.alloc(4);

function lengthOf(part: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return length;
}

describe('decodeBundle', () => {
  it('returns the bundle that was encoded', () => {
    const bundles = fc
      .record({
        module: moduleNames,
        file: texts,
        exports: fc.array(texts),
        live: fc.array(texts),
        memoryBytes: fc.nat(),
        code,
        map: byteArrays,
        mapHash: fc.option(revisions),
        cache,
      })
      .map(({ cache: made, mapHash, ...fields }) => ({
        ...fields,
        // Bundles of before version 0.2 have no hash of the map.
        ...(mapHash === null
          ? { revision: revisionOf(fields.code) }
          : { mapHash, revision: revisionOf(fields.code, mapHash) }),
        ...(made === null ? {} : { cache: made }),
      }));
    fc.assert(
      fc.property(bundles, bundle => {
        expect(decodeBundle(encodeBundle(bundle))).toEqual(bundle);
      }),
    );
  });

  it('packs the same bundle to the same bytes', () => {
    expect(encodeBundle(demo)).toEqual(encodeBundle({ ...demo }));
  });

  it('never returns other code for bytes that were changed', () => {
    const packed = encodeBundle(demo);
    fc.assert(
      fc.property(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), (position, flip) => {
        const tampered = Uint8Array.from(packed, (byte, index) => (index === position ? byte ^ flip : byte));
        try {
          // Some bytes of gzip's header do not change the content. Only the envelope's signature protects the map.
          expect({ ...decodeBundle(tampered), map: demo.map }).toEqual(demo);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 500, seed: 19_860_930 },
    );
  });

  it('rejects code that has another revision', () => {
    const other = { ...demo, code: 'exports.add = () => 0;' };
    expect(() => decodeBundle(encodeBundle(other))).toThrow(
      new DecodeError(
        `the bundle is revision ${revisionOf(other.code).slice(0, 12)}, not ${demo.revision.slice(0, 12)}`,
      ),
    );
  });

  it('rejects a bundle whose hash of the map does not belong to the revision', () => {
    const other = { ...demo, mapHash: mapHashOf('{}') };
    expect(() => decodeBundle(encodeBundle(other))).toThrow(`, not ${demo.revision.slice(0, 12)}`);
  });

  it('rejects a bundle with an incomplete label, and names the field', () => {
    const label = encode({ module: 'demo', revision: demo.revision, exports: [], runtime: null, codeBytes: 0 });
    expect(() => decodeBundle(Buffer.concat([NO_MAP, gzipSync(Buffer.concat([lengthOf(label), label]))]))).toThrow(
      /^file: /,
    );
  });

  it('does not unpack more than the limit', () => {
    const bomb = Buffer.concat([NO_MAP, gzipSync(Buffer.alloc(MAX_UNPACKED_BYTES + 1, ' '), { level: 1 })]);
    expect(bomb.length).toBeLessThan(MAX_UNPACKED_BYTES / 100);
    expect(() => decodeBundle(bomb)).toThrow(DecodeError);
    expect(() => decodeBundle(bomb)).toThrow(`does not unpack within ${MAX_UNPACKED_BYTES} bytes`);
  });

  it.each([[new Uint8Array()], [new TextEncoder().encode('{}')], [encodeBundle(demo).subarray(0, -1)]])(
    'rejects bytes that are no gzip, or are cut off',
    bytes => {
      expect(() => decodeBundle(bytes)).toThrow(DecodeError);
    },
  );
});
