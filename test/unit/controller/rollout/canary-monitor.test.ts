import { describe, expect, it, onTestFinished } from 'vitest';

import { CanaryMonitor } from '../../../../controller/src/rollout/canary-monitor.ts';
import type { Membership } from '../../../../controller/src/fleet/membership.ts';
import type { Head } from '../../../../protocol/head.ts';
import type { NodeDescription } from '../../../../protocol/messages.ts';
import { descriptionOf, headOf, moduleStateOf, recordingLog } from '../../fixtures.ts';

const REVISION = 'c'.repeat(64);

/** A signal that is not aborted. */
const NEVER = new AbortController().signal;

/** The head of a canary on fred. */
function canaryHead(sequence: number): Head {
  const canary = {
    revision: REVISION,
    manifest: null,
    scope: { type: 'names' as const, names: ['fred'] },
    maxErrors: 0,
  };
  return { ...headOf('demo', null, sequence), canary };
}

/** A monitor of a fleet with one node, `fred`. */
function monitored() {
  let onEvent = (_kind: string, _description: NodeDescription): void => undefined;
  const membership = {
    present: () => [descriptionOf('fred')],
    onEvent: (callback: typeof onEvent) => void (onEvent = callback),
  } as Pick<Membership, 'present' | 'onEvent'> as Membership;
  const monitor = new CanaryMonitor(membership, () => Promise.resolve(), recordingLog());
  onTestFinished(() => monitor[Symbol.dispose]());
  const took = (calls: number, errors: number): void =>
    onEvent('heartbeat', descriptionOf('fred', { demo: { ...moduleStateOf(REVISION, 1), calls, errors } }));
  return { monitor, took };
}

describe('a watched canary', () => {
  it.for([
    [0, 1, 'undecided'],
    [0, 0, 'passed'],
    [9, 10, 'undecided'],
    [10, 10, 'passed'],
  ] as const)('whose nodes took %i calls is, with at least %i wanted, %s', async ([calls, minCalls, status]) => {
    const { monitor, took } = monitored();
    const watched = monitor.watch([canaryHead(1)], { timeMs: 30, minCalls }, () => undefined, NEVER);
    took(calls, 0);
    expect(await watched).toEqual({
      status,
      detail: expect.stringMatching(new RegExp(`^${calls} calls, 0 failed, in 0\\.0\\d+ s$`)) as string,
    });
  });

  it('fails with the first call too many, whatever the number of calls', async () => {
    const { monitor, took } = monitored();
    const watched = monitor.watch([canaryHead(1)], { timeMs: 60_000, minCalls: 100 }, () => undefined, NEVER);
    took(1, 1);
    expect(await watched).toEqual({ status: 'failed', detail: 'demo: 1 of 1 calls failed' });
  });

  it('is replaced when another head comes; it was not rolled back', async () => {
    const { monitor } = monitored();
    const watched = monitor.watch([canaryHead(1)], { timeMs: 60_000, minCalls: 1 }, () => undefined, NEVER);
    monitor.observe([headOf('demo', 'd'.repeat(64), 2)]);
    expect(await watched).toEqual({ status: 'replaced', detail: 'another head has replaced the canary' });
  });
});
