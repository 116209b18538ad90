import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { desiredRevision, nextSequence, revisionsOf } from '../../../protocol/head.ts';
import { headOf } from '../fixtures.ts';

const times = fc.nat(8_640_000_000_000_000); // What a Date can say.

describe('nextSequence', () => {
  it('grows, and is never below the clock', () => {
    fc.assert(
      fc.property(times, times, (before, now) => {
        expect(nextSequence(before, now)).toBeGreaterThan(before);
        expect(nextSequence(before, now)).toBeGreaterThanOrEqual(now);
      }),
    );
  });

  it('grows when the clock jumps forwards and backwards', () => {
    fc.assert(
      fc.property(fc.array(times, { minLength: 2 }), clock => {
        let last = 0;
        for (const now of clock) {
          const next = nextSequence(last, now);
          expect(next).toBeGreaterThan(last);
          last = next;
        }
      }),
    );
  });

  it('is above the sequences that nodes remember after the stream was lost', () => {
    const remembered = nextSequence(0, 1_700_000_000_000);
    expect(nextSequence(0, 1_700_000_000_001)).toBeGreaterThan(remembered);
  });
});

describe('desiredRevision', () => {
  const [stable, trial] = ['a', 'b'].map(digit => digit.repeat(64));
  const canary = {
    revision: trial ?? '',
    manifest: null,
    scope: { type: 'names' as const, names: ['fred'] },
    maxErrors: 0,
  };

  it('is the same for every node without a canary', () => {
    const head = headOf('demo', stable ?? '', 1);
    expect(['fred', 'betty'].map(node => desiredRevision(head, node))).toEqual([stable, stable]);
    expect(revisionsOf(head)).toEqual([stable]);
  });

  it("is the canary's in its scope, and the head's own elsewhere", () => {
    const head = { ...headOf('demo', stable ?? '', 1), canary };
    expect(['fred', 'betty'].map(node => desiredRevision(head, node))).toEqual([trial, stable]);
    expect(revisionsOf(head)).toEqual([stable, trial]);
  });

  it("is null outside the scope of a new module's canary", () => {
    const head = { ...headOf('demo', null, 1), canary };
    expect(['fred', 'betty'].map(node => desiredRevision(head, node))).toEqual([trial, null]);
    expect(revisionsOf(head)).toEqual([trial]);
  });
});
