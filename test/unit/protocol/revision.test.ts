import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { mapHashOf, revisionOf, shortRevision } from '../../../protocol/revision.ts';

describe('revisionOf', () => {
  it('is the SHA-256 of the code in UTF-8', () => {
    expect(revisionOf('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(revisionOf('é')).toBe('4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c');
  });

  it('differs for other code, and is equal for the same code', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(revisionOf(a) === revisionOf(b)).toBe(a === b);
      }),
    );
  });
});

describe('shortRevision', () => {
  it('is the first 12 hex digits', () => {
    expect(shortRevision(revisionOf(''))).toBe('e3b0c44298fc');
  });
});

describe('mapHashOf', () => {
  it('makes a revision cover the source map', () => {
    const [one, two] = ['{"lines":1}', '{"lines":2}'].map(map => revisionOf('code', mapHashOf(map)));
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set([one, two, revisionOf('code')]).size).toBe(3);
  });
});
