import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import { gunzip } from '../../../../protocol/bytes/gunzip.ts';

const MAX_BYTES = 10_000_000;

describe('gunzip', () => {
  it.each([0, 1, 100, 70_000, 4 * 1024 * 1024 + 1])('unpacks %i bytes, again and again', length => {
    for (let round = 0; round < 3; round += 1) {
      const content = Buffer.concat([randomBytes(length / 2), Buffer.alloc(Math.ceil(length / 2), 'x')]);
      expect(gunzip(gzipSync(content, { level: 4 * (round % 2) }), MAX_BYTES).equals(content)).toBe(true);
    }
  });

  it('unpacks a gzip of two parts', () => {
    const packed = Buffer.concat([gzipSync('some '), gzipSync('text')]);
    expect(gunzip(packed, MAX_BYTES).toString()).toBe('some text');
  });

  const good = gzipSync('some text');
  it.each([
    ['no gzip', Buffer.from('no gzip at all')],
    ['nothing', Buffer.alloc(0)],
    ['a gzip that is cut off', good.subarray(0, -1)],
    ['a gzip with another checksum', Buffer.concat([good.subarray(0, -8), Buffer.alloc(4), good.subarray(-4)])],
    ['a gzip that tells a wrong length', Buffer.concat([good.subarray(0, -4), Buffer.from([8, 0, 0, 0])])],
  ])('fails with %s, and unpacks what comes after it', (_, packed) => {
    expect(() => gunzip(packed, MAX_BYTES)).toThrow();
    expect(gunzip(good, MAX_BYTES).toString()).toBe('some text');
  });

  it('fails with a content of more than so many bytes', () => {
    expect(gunzip(gzipSync(Buffer.alloc(1_000)), 1_000)).toHaveLength(1_000);
    expect(() => gunzip(gzipSync(Buffer.alloc(1_001)), 1_000)).toThrow();
  });
});
