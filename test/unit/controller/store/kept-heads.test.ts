import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { previousRevision } from '../../../../controller/src/rollout/previous-revision.ts';
import { keptHeads } from '../../../../controller/src/store/kept-heads.ts';
import type { Head } from '../../../../protocol/head.ts';
import { HISTORY_LENGTH } from '../../../../protocol/limits.ts';
import { headOf } from '../../fixtures.ts';

const revisionOf = (number: number): string => number.toString(16).padStart(64, '0');

/** A head of each step: a push of a revision, a removal, or a rollback of the head before. */
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.nat(24).map(revisionOf) },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 3, arbitrary: fc.constantFrom('operator' as const, 'refused' as const, 'watchdog' as const) },
  ),
  { minLength: 1, maxLength: 120, size: 'max' },
);

/** Writes a head. A rollback goes to the revision that the rule finds in the heads that are kept. */
function write(heads: readonly Head[], step: string | null): Head[] {
  const newest = heads.at(-1);
  const sequence = (newest?.sequence ?? 0) + 1;
  if (step !== 'operator' && step !== 'refused' && step !== 'watchdog')
    return [...heads, headOf('demo', step, sequence)];
  if (newest === undefined) return [...heads];
  const leave = step === 'refused' ? [] : [newest.revision, null];
  const revision = previousRevision(newest, heads, leave);
  return [...heads, { ...headOf('demo', revision, sequence), revertOf: newest.push, cause: step }];
}

/** The heads that name one of the last different revisions, or none. */
function lastRevisions(heads: readonly Head[]): Head[] {
  const newestFirst = heads.toReversed().flatMap(({ revision }) => revision ?? []);
  const last = new Set([...new Set(newestFirst)].slice(0, HISTORY_LENGTH));
  return heads.filter(({ revision }) => revision === null || last.has(revision));
}

describe('keptHeads', () => {
  it('leads back where all heads of the last 16 different revisions lead back, also after later heads', () => {
    fc.assert(
      fc.property(steps, all => {
        let written: Head[] = [];
        let kept: Head[] = [];
        for (const step of all) {
          written = lastRevisions(write(written, step));
          kept = keptHeads([...kept, ...written.slice(-1)]);
          const newest = written.at(-1);
          if (newest === undefined) continue;
          for (const leave of [[], [newest.revision], [newest.revision, null]]) {
            const expected = previousRevision(newest, written, leave);
            expect(previousRevision(newest, kept, leave)).toBe(expected);
          }
        }
        expect(kept.length).toBeLessThanOrEqual(4 * HISTORY_LENGTH + 4);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps the newest 16 heads, and every revision of before many heads of one revision', () => {
    const heads = Array.from({ length: 60 }, (_, index) => headOf('demo', revisionOf(Math.min(index, 15)), index + 1));
    const kept = keptHeads(heads);
    expect(kept.slice(-HISTORY_LENGTH)).toEqual(heads.slice(-HISTORY_LENGTH));
    expect(new Set(kept.map(({ revision }) => revision)).size).toBe(HISTORY_LENGTH);
  });
});
