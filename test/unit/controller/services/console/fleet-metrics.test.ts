import { describe, expect, it } from 'vitest';

import { fleetMetrics } from '../../../../../controller/src/services/console/metrics/fleet-metrics.ts';
import type { Fact } from '../../../../../controller/src/services/console/model/fact.ts';
import { emptyFleet, reduce } from '../../../../../controller/src/services/console/model/fleet.ts';
import type { AuditEntry } from '../../../../../protocol/history/audit-entry.ts';
import type { NodeDescription } from '../../../../../protocol/messages.ts';
import { descriptionOf, headOf, moduleStateOf } from '../../../fixtures.ts';

const ONE = 'a'.repeat(64);
const TWO = 'b'.repeat(64);
const START = 1_700_000_000_000;

const heartbeat = (node: string, revision: string, more: Partial<NodeDescription> = {}, at = START): Fact => ({
  type: 'heartbeat',
  at,
  description: { ...descriptionOf(node), modules: { demo: moduleStateOf(revision, 1) }, ...more },
});
const entry = (command: string, outcome: string, at: number): AuditEntry => ({
  at,
  change: null,
  author: 'wilma',
  command,
  modules: [],
  outcome,
  detail: '',
});
const audit = (...entries: AuditEntry[]): Fact => ({ type: 'audit', entries, at: START });
const heads = (...all: ReturnType<typeof headOf>[]): Fact => ({ type: 'heads', heads: all, at: START });

/** The samples of the metrics after these facts; those before `begin` have happened before the console has started. */
async function samplesAfter(before: readonly Fact[], facts: readonly Fact[]): Promise<ReadonlyMap<string, number>> {
  const metrics = fleetMetrics();
  let fleet = emptyFleet('dino', START);
  const tell = (fact: Fact): void => {
    metrics.heard(fleet, fact);
    fleet = reduce(fleet, fact);
  };
  before.forEach(tell);
  metrics.begin();
  facts.forEach(tell);
  const lines = (await metrics.text(fleet)).split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

describe('the metrics of the fleet', () => {
  it('count nodes by state and revision, and for how long one does not run what it should', async () => {
    const samples = await samplesAfter(
      [heads(headOf('demo', ONE, 1))],
      [
        heartbeat('fred', ONE, { memoryBytes: 2 ** 26, loopDelay: 250 }),
        heartbeat('betty', ONE),
        heads(headOf('demo', TWO, 2)),
        heartbeat('betty', TWO, { modules: { demo: moduleStateOf(TWO, 2) } }, START + 1_000),
        { type: 'tick', at: START + 2_000 },
      ],
    );
    expect(samples.get('hotcast_nodes{state="running"}')).toBe(1);
    expect(samples.get('hotcast_nodes{state="behind"}')).toBe(1);
    expect(samples.get('hotcast_nodes{state="silent"}')).toBe(0);
    expect(samples.get('hotcast_drift_seconds')).toBe(2);
    expect(samples.get('hotcast_module_nodes{module="demo",revision="aaaaaaaaaaaa"}')).toBe(1);
    expect(samples.get('hotcast_module_head{module="demo",revision="bbbbbbbbbbbb"}')).toBe(1);
    expect(samples.get('hotcast_node_memory_bytes{node="fred"}')).toBe(2 ** 26);
    expect(samples.get('hotcast_node_event_loop_delay_seconds{node="fred"}')).toBe(0.25);
  });

  it('drop the labels of what does not run any more', async () => {
    const samples = await samplesAfter([], [heartbeat('fred', ONE), heartbeat('fred', TWO)]);
    expect([...samples.keys()].filter(name => name.startsWith('hotcast_module_nodes'))).toEqual([
      'hotcast_module_nodes{module="demo",revision="bbbbbbbbbbbb"}',
    ]);
  });

  it('count calls from one heartbeat to the next', async () => {
    const after = (calls: number, errors: number): Fact =>
      heartbeat('fred', ONE, { modules: { demo: { ...moduleStateOf(ONE, 1), calls, errors } } });
    const samples = await samplesAfter([after(100, 10)], [after(130, 12), after(131, 12)]);
    expect(samples.get('hotcast_calls_total')).toBe(31);
    expect(samples.get('hotcast_call_errors_total')).toBe(2);
  });

  it('count each command once, since the console has started, also when the audit is read again', async () => {
    const [old, backup, push] = [
      entry('push', 'committed', START - 9_000),
      entry('backup', 'done', START - 5_000),
      entry('push', 'refused', START),
    ];
    const samples = await samplesAfter([audit(old, backup)], [audit(push), audit(old, backup, push)]);
    expect(samples.get('hotcast_changes_total{command="push",outcome="refused"}')).toBe(1);
    expect(samples.get('hotcast_changes_total{command="push",outcome="committed"}')).toBeUndefined();
    expect(samples.get('hotcast_last_backup_timestamp_seconds')).toBe((START - 5_000) / 1_000);
  });

  it('say nothing of a backup when there was none', async () => {
    expect((await samplesAfter([], [])).has('hotcast_last_backup_timestamp_seconds')).toBe(false);
  });

  it('count a rollback of several modules once, by its cause', async () => {
    const back = { cause: 'canary', push: 'p1' } as const;
    const both = [
      { ...headOf('demo', ONE, 3), ...back },
      { ...headOf('web', ONE, 3), ...back },
    ];
    const samples = await samplesAfter(
      [heads({ ...headOf('old', ONE, 1), cause: 'operator', push: 'p0' })],
      [heads(...both), heads(...both)],
    );
    expect(samples.get('hotcast_rollbacks_total{cause="canary"}')).toBe(1);
    expect(samples.has('hotcast_rollbacks_total{cause="operator"}')).toBe(false);
  });

  it('have the phases of a push as histograms, and what nodes refused', async () => {
    const progress = (step: object): Fact => ({
      type: 'progress',
      progress: { change: 'c', ...step } as Extract<Fact, { type: 'progress' }>['progress'],
      at: START,
    });
    const ended = { step: 'ended', modules: [], outcome: 'refused', detail: '', ms: 412, nodes: {} };
    const samples = await samplesAfter(
      [],
      [
        progress({ step: 'started', command: 'push', author: 'wilma', modules: [] }),
        progress({ ...ended, times: { compile: 310, prepare: 60 }, refusals: { badfile: 2 } }),
      ],
    );
    expect(samples.get('hotcast_change_duration_seconds_sum{command="push"}')).toBe(0.412);
    expect(samples.get('hotcast_change_phase_duration_seconds_bucket{le="0.1",command="push",phase="prepare"}')).toBe(
      1,
    );
    expect(samples.get('hotcast_change_phase_duration_seconds_bucket{le="0.25",command="push",phase="compile"}')).toBe(
      0,
    );
    expect(samples.get('hotcast_refusals_total{reason="badfile"}')).toBe(2);
  });
});
