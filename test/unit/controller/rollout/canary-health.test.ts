import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CanaryHealth, type CanaryEvent, MAX_LOOP_DELAY_MS } from '../../../../controller/src/rollout/canary-health.ts';
import { HEARTBEAT_TIMEOUT } from '../../../../protocol/limits.ts';

type Heard = CanaryEvent & { type: 'heard' };

const revision = 'f'.repeat(64);

/** The event of a healthy node in the scope, with these fields changed. */
const heard = (node: string, fields: Partial<Heard> = {}): Heard => ({
  type: 'heard',
  node,
  at: 0,
  startedAt: 1,
  revision,
  calls: 0,
  errors: 0,
  loopDelay: 0,
  banned: null,
  ...fields,
});

const after = (maxErrors: number, ...events: CanaryEvent[]): CanaryHealth => {
  const health = new CanaryHealth(revision, maxErrors);
  for (const event of events) health.update(event);
  return health;
};

const events = fc.array(
  fc.oneof(
    fc.record({
      type: fc.constant('heard' as const),
      node: fc.constantFrom('fred', 'betty'),
      at: fc.nat(20_000),
      startedAt: fc.constantFrom(1, 2),
      revision: fc.constantFrom(revision, null),
      calls: fc.nat(10),
      errors: fc.nat(3),
      loopDelay: fc.nat(2 * MAX_LOOP_DELAY_MS),
      banned: fc.constantFrom(null, null, null, 'it stalled'),
    }),
    fc.record({ type: fc.constant('left' as const), node: fc.constantFrom('fred', 'betty') }),
    fc.record({ type: fc.constant('tick' as const), at: fc.nat(20_000) }),
  ),
);

/** When a canary fails according to docs/operations.md, from a list of events. */
class Trial {
  readonly #maxErrors: number;
  /** By node, since its first word on the revision: that word, the last one on the revision, and when it was heard. */
  readonly #nodes = new Map<string, { first: Heard; last: Heard; heardAt: number }>();

  /** The last word of each node that left. */
  readonly #left: Heard[] = [];

  constructor(maxErrors: number) {
    this.#maxErrors = maxErrors;
  }

  /** The reasons to fail by an event; none when the trial goes on. */
  reasons(event: CanaryEvent): string[] {
    if (event.type === 'tick') {
      const isSilent = [...this.#nodes.values()].some(({ heardAt }) => event.at - heardAt > HEARTBEAT_TIMEOUT);
      return isSilent ? ['silent'] : [];
    }
    const before = this.#nodes.get(event.node);
    if (event.type === 'left') {
      if (before !== undefined) this.#left.push(before.last);
      this.#nodes.delete(event.node);
      return [];
    }
    const isOn = event.revision === revision;
    const last = isOn ? event : before?.last;
    if (last !== undefined) this.#nodes.set(event.node, { first: before?.first ?? last, last, heardAt: event.at });
    const reasons = {
      died: before !== undefined && before.first.startedAt !== event.startedAt,
      stalled: event.banned !== null || (isOn && before !== undefined && event.loopDelay > MAX_LOOP_DELAY_MS),
      errors: isOn && this.figures('errors') > this.#maxErrors,
    };
    return Object.entries(reasons).flatMap(([reason, isSo]) => (isSo ? [reason] : []));
  }

  figures(of: 'calls' | 'errors'): number {
    const lasts = [...[...this.#nodes.values()].map(({ last }) => last), ...this.#left];
    return lasts.reduce((sum, last) => sum + last[of], 0);
  }
}

describe('a canary', () => {
  it('goes on while its nodes are well', () => {
    const health = after(0, heard('fred', { calls: 5 }), heard('betty', { calls: 7 }), { type: 'tick', at: 100 });
    expect(health.failure).toBeNull();
    expect(health.totals).toEqual({ calls: 12, errors: 0 });
  });

  it('takes the newest figures of a node, not their sum', () => {
    expect(after(9, heard('fred', { calls: 5, errors: 1 }), heard('fred', { calls: 6, errors: 2 })).totals).toEqual({
      calls: 6,
      errors: 2,
    });
  });

  it('fails with more errors than it may have, over all its nodes', () => {
    const within = [heard('fred', { calls: 4, errors: 1 }), heard('betty', { calls: 4, errors: 1 })];
    expect(after(2, ...within).failure).toBeNull();
    expect(after(2, ...within, heard('betty', { calls: 5, errors: 2 })).failure).toEqual({
      reason: 'errors',
      detail: '3 of 9 calls failed',
    });
  });

  it('does not answer for errors of another revision', () => {
    expect(after(0, heard('fred', { revision: 'a'.repeat(64), calls: 4, errors: 4 })).failure).toBeNull();
    expect(after(0, heard('fred', { revision: null, errors: 1 })).failure).toBeNull();
  });

  it('fails when a node of it stalls', () => {
    expect(after(0, heard('fred'), heard('fred', { loopDelay: MAX_LOOP_DELAY_MS })).failure).toBeNull();
    expect(after(0, heard('fred'), heard('fred', { loopDelay: MAX_LOOP_DELAY_MS + 1 })).failure).toEqual({
      reason: 'stalled',
      detail: `fred stalled for ${MAX_LOOP_DELAY_MS + 1} ms`,
    });
  });

  it('does not answer for a stall that is told with the first word of it: that was before', () => {
    expect(after(0, heard('fred', { loopDelay: 10 * MAX_LOOP_DELAY_MS })).failure).toBeNull();
  });

  it('fails when the process of a node is another one', () => {
    expect(after(0, heard('fred'), heard('fred', { startedAt: 2, revision: null })).failure).toEqual({
      reason: 'died',
      detail: 'fred died and was started again',
    });
  });

  it('fails when a node of it is not heard any more', () => {
    expect(after(0, heard('fred'), { type: 'tick', at: HEARTBEAT_TIMEOUT }).failure).toBeNull();
    expect(
      after(0, heard('fred'), heard('betty', { at: 5 }), { type: 'tick', at: HEARTBEAT_TIMEOUT + 1 }).failure,
    ).toEqual({ reason: 'silent', detail: 'fred went silent' });
  });

  it('does not fail for a node that said goodbye, also when that comes back', () => {
    const left = [heard('fred'), { type: 'left', node: 'fred' } as const];
    expect(after(0, ...left, { type: 'tick', at: 10 * HEARTBEAT_TIMEOUT }).failure).toBeNull();
    expect(after(0, ...left, heard('fred', { startedAt: 2 })).failure).toBeNull();
  });

  it('keeps the calls and errors of a node that left', () => {
    const left = { type: 'left', node: 'fred' } as const;
    const { failure, totals } = after(
      1,
      heard('fred', { calls: 5, errors: 1 }),
      left,
      heard('betty', { calls: 2, errors: 1 }),
    );
    expect(totals).toEqual({ calls: 7, errors: 2 });
    expect(failure?.reason).toBe('errors');
  });

  it('stays failed, whatever comes', () => {
    fc.assert(
      fc.property(events, fc.nat(3), (later, maxErrors) => {
        const died = [heard('fred'), heard('fred', { startedAt: 2 })];
        const { failure, totals } = after(maxErrors, ...died, ...later);
        expect(failure).toMatchObject({ reason: 'died' });
        expect(totals).toEqual({ calls: 0, errors: 0 });
      }),
    );
  });

  it('never has more errors than it may while it is watched', () => {
    fc.assert(
      fc.property(events, fc.nat(3), (taken, maxErrors) => {
        const { failure, totals } = after(maxErrors, ...taken);
        if (failure === null) expect(totals.errors).toBeLessThanOrEqual(maxErrors);
        else expect(failure.detail).not.toBe('');
      }),
    );
  });

  it('fails when and only when there is a reason to', () => {
    fc.assert(
      fc.property(events, fc.nat(9), (taken, maxErrors) => {
        const trial = new Trial(maxErrors);
        const health = new CanaryHealth(revision, maxErrors);
        for (const event of taken) {
          const reasons = trial.reasons(event);
          health.update(event);
          if (health.failure !== null) {
            expect(reasons).toContain(health.failure.reason);
            return;
          }
          expect(reasons).toEqual([]);
          expect(health.totals).toEqual({ calls: trial.figures('calls'), errors: trial.figures('errors') });
        }
      }),
    );
  });

  it('never has more calls and errors than it was told of', () => {
    fc.assert(
      fc.property(events, fc.nat(9), (taken, maxErrors) => {
        const told = taken.filter(event => event.type === 'heard' && event.revision === revision) as Heard[];
        const { calls, errors } = after(maxErrors, ...taken).totals;
        expect(calls).toBeLessThanOrEqual(told.reduce((sum, event) => sum + event.calls, 0));
        expect(errors).toBeLessThanOrEqual(told.reduce((sum, event) => sum + event.errors, 0));
      }),
    );
  });

  it('does not mind in which order it is told that time has passed, nor how often', () => {
    const ticks = fc.array(fc.record({ type: fc.constant('tick' as const), at: fc.nat(20_000) }));
    const twoOrders = ticks.chain(some =>
      fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length })),
    );
    fc.assert(
      fc.property(events, twoOrders, (taken, [some, others]) => {
        const [health, other] = [after(9, ...taken, ...some), after(9, ...taken, ...others, ...some)];
        expect(other.failure?.reason).toBe(health.failure?.reason);
      }),
    );
  });

  it('goes on as if no time had passed when it was passing and everybody was heard', () => {
    fc.assert(
      fc.property(events, fc.nat(9), (taken, maxErrors) => {
        const { failure, totals } = after(maxErrors, ...taken);
        if (failure?.reason === 'silent') return;
        const timeless = after(maxErrors, ...taken.filter(({ type }) => type !== 'tick'));
        expect({ failure: timeless.failure, totals: timeless.totals }).toEqual({ failure, totals });
      }),
    );
  });

  it('has heard a node that tells of another revision, which is not silent then', () => {
    const other = heard('fred', { revision: null, at: HEARTBEAT_TIMEOUT });
    const tick = { type: 'tick', at: 2 * HEARTBEAT_TIMEOUT } as const;
    const health = after(0, heard('fred', { calls: 5 }), other, tick);
    expect(health.failure).toBeNull();
    expect(health.totals).toEqual({ calls: 5, errors: 0 });
  });
});
