import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { emptySlots, load, purge, remove, type Slots } from '../../../../node-image/src/modules/version-slots.ts';

type Step = { do: 'load'; version: number } | { do: 'remove' } | { do: 'purge' };

const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('load' as const), version: fc.nat() }),
    fc.constant<Step>({ do: 'remove' }),
    fc.constant<Step>({ do: 'purge' }),
  ),
);

function take(slots: Slots<number>, step: Step): Slots<number> {
  switch (step.do) {
    case 'load':
      return load(slots, step.version);
    case 'remove':
      return remove(slots);
    case 'purge':
      return purge(slots);
    default: {
      const check: never = step;
      return check;
    }
  }
}

const after = (taken: readonly Step[]): Slots<number> =>
  taken.reduce((slots, step) => Object.freeze(take(slots, step)), emptySlots<number>());

describe('slots', () => {
  it('is empty at first', () => {
    expect(emptySlots()).toEqual({ current: null, old: null });
  });

  it('gives new calls the version that was loaded last, and nothing after a removal', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (before, version) => {
        const loaded = load(after(before), version);
        expect(loaded.current).toBe(version);
        expect(remove(loaded).current).toBeNull();
      }),
    );
  });

  it('keeps the current version as old when it is replaced or removed', () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat(), (before, version, next) => {
        const loaded = load(after(before), version);
        expect(load(loaded, next).old).toBe(version);
        expect(remove(loaded).old).toBe(version);
      }),
    );
  });

  it('drops the old version only for the current one, or in a purge', () => {
    const removed = remove(load(emptySlots<number>(), 1));
    expect(load(removed, 2)).toEqual({ current: 2, old: 1 });
    expect(remove(removed)).toEqual(removed);
    expect(load(load(removed, 2), 3)).toEqual({ current: 3, old: 2 });
  });

  it('never changes current in a purge', () => {
    fc.assert(
      fc.property(steps, before => {
        const slots = after(before);
        expect(purge(slots)).toEqual({ current: slots.current, old: null });
      }),
    );
  });
});
