import { describe, expect, it } from 'vitest';

import { statusRows } from '../../../../controller/src/commands/status-rows.ts';
import type { Head } from '../../../../protocol/head.ts';
import type { NodeDescription } from '../../../../protocol/messages.ts';
import { descriptionOf, headOf, moduleStateOf } from '../../fixtures.ts';

const [stable = '', trial = ''] = ['a', 'b'].map(digit => digit.repeat(64));

const running = (revision: string, sequence: number) => ({ demo: moduleStateOf(revision, sequence) });

/** What fred is said to be at, when he has these modules and the fleet these heads. */
function fredAt(heads: readonly Head[], modules: NodeDescription['modules'] | null) {
  const fred = modules === null ? null : descriptionOf('fred', modules);
  return statusRows(heads, new Map([['fred', fred]]));
}

describe('statusRows', () => {
  const head = headOf('demo', stable, 5);
  const canary = { revision: trial, manifest: null, scope: { type: 'names' as const, names: ['fred'] }, maxErrors: 0 };

  it.each([
    ['runs what it should', [head], running(stable, 5), 'ok'],
    ['runs what it should, loaded by hand', [head], running(stable, 0), 'ok'],
    ['runs another revision', [head], running(trial, 4), 'behind'],
    ['runs nothing', [head], {}, 'behind'],
    ['runs another revision by a newer head', [head], running(trial, 6), 'behind'],
    ['runs what compile loaded', [head], running(trial, 0), 'here only'],
    ['runs what compile loaded, and no head knows it', [], running(trial, 0), 'here only'],
    ['runs what was removed', [headOf('demo', null, 5)], running(stable, 4), 'behind'],
    ['runs the canary that it is in', [{ ...head, canary }], running(trial, 5), 'ok'],
    ['does not run the canary that it is in', [{ ...head, canary }], running(stable, 4), 'behind'],
    ['does not answer', [head], null, 'silent'],
    ['has loaded it after its state was cleared', [{ ...head, stateSince: 4 }], running(stable, 4), 'ok'],
    [
      'runs what it should with state from before a clearing',
      [{ ...head, stateSince: 4 }],
      running(stable, 3),
      'behind',
    ],
  ])('a node that %s', (_, heads, modules, state) => {
    expect(fredAt(heads, modules)).toMatchObject([{ module: 'demo', node: 'fred', state }]);
  });

  it.each([
    ['its newest head', 5, 'refused'],
    ['an older head', 4, 'behind'],
  ])('says why a node refuses %s', (_, sequence, state) => {
    const refusals = { demo: { sequence, reason: 'banned' as const, detail: 'it stalled' } };
    const fred = { ...descriptionOf('fred', running(trial, 4)), refusals };
    const [row] = statusRows([head], new Map([['fred', fred]]));
    expect(row).toMatchObject({ state, ...(state === 'refused' ? { detail: 'banned: it stalled' } : {}) });
  });

  it('says when only the state is not what it should be, or why a node refuses to clear it', () => {
    const cleared = { ...head, stateSince: 4 };
    expect(fredAt([cleared], running(stable, 3))).toMatchObject([
      { state: 'behind', detail: 'its state is not cleared yet' },
    ]);
    const refusals = { demo: { sequence: 5, reason: 'on_load_failure' as const, detail: 'Error: no' } };
    const fred = { ...descriptionOf('fred', running(stable, 3)), refusals };
    expect(statusRows([cleared], new Map([['fred', fred]]))).toMatchObject([{ state: 'refused' }]);
  });

  it('says how often a node has tried what it refuses, and when it tries again', () => {
    const retry = { attempts: 3, nextAttemptInMs: 7_400 };
    const refusals = { demo: { sequence: 5, reason: 'on_load_failure' as const, detail: 'Error: no', ...retry } };
    const fred = { ...descriptionOf('fred', running(trial, 4)), refusals };
    expect(statusRows([head], new Map([['fred', fred]]))).toMatchObject([{ state: 'refused', ...retry }]);
  });

  it('says how many errors the running revision had', () => {
    const modules = { demo: { ...moduleStateOf(stable, 5), errors: 3 } };
    expect(fredAt([head], modules)).toMatchObject([{ state: 'ok', errors: 3 }]);
  });

  it('has no row for a module that is removed and nowhere', () => {
    expect(fredAt([headOf('demo', null, 5)], {})).toEqual([]);
  });

  it('has a row for a module that is removed and still drains', () => {
    const draining = [{ module: 'demo', revision: stable, since: 1, inFlight: 1, heldBy: 'demo.wait' }];
    const fred = { ...descriptionOf('fred'), draining };
    for (const heads of [[headOf('demo', null, 5)], []]) {
      const rows = statusRows(heads, new Map([['fred', fred]]));
      expect(rows).toMatchObject([{ module: 'demo', node: 'fred', running: null, state: 'ok', draining }]);
    }
  });

  it("tells a canary's revision from the head's own", () => {
    const nodes = new Map([
      ['betty', descriptionOf('betty', running(stable, 5))],
      ['fred', descriptionOf('fred', running(trial, 5))],
    ]);
    expect(statusRows([{ ...head, canary }], nodes)).toEqual([
      {
        module: 'demo',
        node: 'fred',
        desired: trial,
        running: trial,
        canary: true,
        state: 'ok',
        draining: [],
        errors: 0,
      },
      {
        module: 'demo',
        node: 'betty',
        desired: stable,
        running: stable,
        canary: false,
        state: 'ok',
        draining: [],
        errors: 0,
      },
    ]);
  });

  it('sorts by module, then by replica', () => {
    const nodes = new Map(['betty', 'fred'].map(node => [node, null]));
    const rows = statusRows([headOf('zoo', stable, 1), head], nodes);
    expect(rows.map(({ module, node }) => `${module} ${node}`)).toEqual([
      'demo fred',
      'demo betty',
      'zoo fred',
      'zoo betty',
    ]);
  });
});
