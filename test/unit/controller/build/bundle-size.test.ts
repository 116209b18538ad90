import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { pack, refuseMuchCode, refuseTooLarge } from '../../../../controller/src/build/bundle-size.ts';
import { decodeBundle } from '../../../../protocol/bundle.ts';
import { HEADER_BYTES } from '../../../../protocol/limits.ts';
import { bundleOf } from '../../fixtures.ts';

const noise = (bytes: number): string => randomBytes(bytes).toString('base64');

describe('pack', () => {
  it('encodes a bundle with its code cache', () => {
    const bundle = { ...bundleOf('demo', 'exports.x = 1;'), cache: { runtime: 'V8', data: randomBytes(99) } };
    expect(decodeBundle(pack(bundle, Infinity))).toEqual(bundle);
  });

  it('leaves out a code cache that would make it too large', () => {
    const bundle = bundleOf('demo', 'exports.x = 1;');
    const packed = pack({ ...bundle, cache: { runtime: 'V8', data: randomBytes(50_000) } }, HEADER_BYTES + 10_000);
    expect(decodeBundle(packed)).toEqual(bundle);
  });

  it('takes a bundle of exactly the limit, and none that is a byte larger', () => {
    const bundle = bundleOf('demo', `exports.noise = '${noise(10_000)}';`);
    const packed = pack(bundle, Infinity);
    expect(pack(bundle, HEADER_BYTES + packed.length)).toEqual(packed);
    expect(() => pack(bundle, HEADER_BYTES + packed.length - 1)).toThrow(
      /^demo is 0\.0 MiB packed, the limit is 0\.0 MiB/,
    );
  });

  it('rejects a bundle that is larger than the limits', () => {
    const bundle = bundleOf('demo', `exports.noise = '${noise(9 * 1024 * 1024)}';`);
    expect(() => pack(bundle, Infinity)).toThrow(/^demo is \d+\.\d MiB packed, the limit is 7\.9 MiB: import less/);
    expect(() => pack(bundle, HEADER_BYTES + 1024 * 1024)).toThrow(/the limit is 1\.0 MiB/);
    expect(() => refuseTooLarge(bundle, Infinity)).toThrow(/the limit is 7\.9 MiB/);
  });
});

describe('refuseMuchCode', () => {
  it('takes as much as the limit, and says what to do about more', () => {
    expect(() => refuseMuchCode('demo', 'x'.repeat(2 ** 20), 2 ** 20)).not.toThrow();
    expect(() => refuseMuchCode('demo', 'x'.repeat(2 ** 20 + 1), 2 ** 20)).toThrow(
      /^demo has 1\.0 MiB of code without its packages, the limit is 1\.0 MiB \(MODULE_MAX_MB\): import less, .*; nothing was sent$/,
    );
  });
});
