import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { nextSequence } from '../../../protocol/head.ts';

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

  it('grows through a clock that jumps to and fro', () => {
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

  it('goes on above what nodes remember when the stream was lost', () => {
    const remembered = nextSequence(0, 1_700_000_000_000);
    expect(nextSequence(0, 1_700_000_000_001)).toBeGreaterThan(remembered);
  });
});
