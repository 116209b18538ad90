import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  closeIdle,
  emptySlots,
  load,
  purge,
  remove,
  type Slots,
} from '../../../../node-image/src/modules/version-slots.ts';

type Step = { do: 'load'; version: number } | { do: 'remove'; version: null } | { do: 'purge'; version: null };

const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('load' as const), version: fc.nat() }),
    fc.constant<Step>({ do: 'remove', version: null }),
    fc.constant<Step>({ do: 'purge', version: null }),
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
    expect(emptySlots()).toEqual({ current: null, draining: [] });
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

  it('drains every version that was replaced or removed since the last purge, in their order', () => {
    fc.assert(
      fc.property(steps, taken => {
        const since = taken.slice(taken.findLastIndex(step => step.do === 'purge') + 1);
        const kept = taken.length > since.length ? after(taken.slice(0, -since.length || undefined)).current : null;
        const versions = [kept, ...since.map(({ version }) => version)];
        expect(after(taken)).toEqual({
          current: versions.at(-1),
          draining: versions.slice(0, -1).filter(version => version !== null),
        });
      }),
    );
  });

  it('never changes current in a purge', () => {
    fc.assert(
      fc.property(steps, before => {
        const slots = after(before);
        expect(purge(slots)).toEqual({ current: slots.current, draining: [] });
        expect(closeIdle(slots, () => true)).toEqual(purge(slots));
        expect(closeIdle(slots, () => false)).toEqual(slots);
      }),
    );
  });
});
