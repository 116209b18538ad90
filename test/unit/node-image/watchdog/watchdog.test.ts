import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { moduleFrame } from '../../../../node-image/src/watchdog/main-thread-inspector.ts';
import { observe, type Sample, type Stall } from '../../../../node-image/src/watchdog/stall-detector.ts';
import { ActivityBuffer } from '../../../../node-image/src/watchdog/activity-buffer.ts';

const STEP = 100;

/** The blocked time after samples, each `after` milliseconds after the previous one. */
function blockedAfter(samples: readonly (Omit<Sample, 'at'> & { readonly after: number })[]): number {
  let at = 0;
  let stall: Stall = { blocked: 0, last: { at, beats: 0, waited: 0 } };
  for (const { after, beats, waited } of samples) {
    at += after;
    stall = observe(stall, { at, beats, waited }, STEP);
  }
  return stall.blocked;
}

describe('the blocked time', () => {
  const still = { after: STEP, beats: 0, waited: 0 };

  it('counts the time without a beat, and restarts at each beat', () => {
    expect(blockedAfter(Array.from({ length: 10 }, () => still))).toBe(1_000);
    expect(blockedAfter([still, still, { ...still, beats: 1 }])).toBe(0);
    expect(blockedAfter([still, { ...still, beats: 1 }, { ...still, beats: 1 }])).toBe(100);
  });

  it('counts almost nothing of a time in which the whole process was frozen', () => {
    expect(blockedAfter([{ ...still, after: 3_600_000 }])).toBe(2 * STEP);
  });

  it('does not count the time in which the thread waited for a processor', () => {
    const starved = Array.from({ length: 100 }, (_, index) => ({ ...still, waited: 95 * (index + 1) }));
    expect(blockedAfter(starved)).toBe(500);
  });

  it('never decreases, and grows by at most two steps per sample', () => {
    const sample = fc.record({ after: fc.nat(10_000), beats: fc.constant(0), waited: fc.nat(100_000) });
    fc.assert(
      fc.property(fc.array(sample), samples => {
        const blocked = samples.map((_, index) => blockedAfter(samples.slice(0, index + 1)));
        blocked.forEach((each, index) => {
          const more = each - (blocked[index - 1] ?? 0);
          expect(more).toBeGreaterThanOrEqual(0);
          expect(more).toBeLessThanOrEqual(2 * STEP);
        });
      }),
    );
  });
});

describe('moduleFrame', () => {
  const frame = (scriptId: string, lineNumber: number) => ({ location: { scriptId, lineNumber, columnNumber: 8 } });
  const scripts = new Map([
    ['7', 'demo@3f2a9c81b0d4'],
    ['9', 'web@0123456789ab'],
  ]);

  it('finds the innermost module on the stack, also below code of Node', () => {
    expect(moduleFrame([frame('1', 0), frame('9', 3), frame('7', 5), frame('2', 0)], scripts)).toEqual({
      script: 'web@0123456789ab',
      position: 'web@0123456789ab:4:9',
    });
  });

  it('finds nothing when no module is on the stack', () => {
    expect(moduleFrame([frame('1', 0), frame('2', 0)], scripts)).toBeNull();
    expect(moduleFrame([], scripts)).toBeNull();
  });
});

describe('activity', () => {
  it('is visible through the shared memory, also when it is nested', () => {
    const own = new ActivityBuffer();
    const other = new ActivityBuffer(own.memory);
    expect(other.script).toBeNull();
    own.track('demo@3f2a9c81b0d4', () => {
      own.track('web@0123456789ab', () => expect(other.script).toBe('web@0123456789ab'));
      expect(other.script).toBe('demo@3f2a9c81b0d4');
    });
    expect(other.script).toBeNull();
  });

  it('ends when the code throws', () => {
    const own = new ActivityBuffer();
    const fail = (): never => {
      throw new RangeError('no');
    };
    expect(() => own.track('demo@3f2a9c81b0d4', fail)).toThrow(RangeError);
    expect(own.script).toBeNull();
  });

  it('counts each beat', () => {
    const own = new ActivityBuffer();
    const other = new ActivityBuffer(own.memory);
    own.beat();
    own.beat();
    expect(other.beats).toBe(2);
  });
});
