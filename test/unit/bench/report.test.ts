import { describe, expect, it } from 'vitest';

import { pushFigures } from '../../../bench/figures.ts';
import { plotOf } from '../../../bench/plot.ts';
import { reportOf } from '../../../bench/report.ts';
import type { Results } from '../../../bench/results.ts';
import { targetsOf } from '../../../bench/targets.ts';
import { REACHED, samplesOf } from './results.ts';

const NOTHING: Results = { ...REACHED, push: null, edit: null, cost: null, restarts: null, scale: null };

describe('targets', () => {
  it('are reached by what is exactly at the limit', () => {
    expect(targetsOf(REACHED).filter(({ reached }) => !reached)).toEqual([]);
    expect(targetsOf(REACHED)).toHaveLength(9);
  });

  it('are missed by a push that is slower than its share of others, and say the ratio', () => {
    const slow = pushFigures('Hotcast', 10_240, samplesOf(20, 2));
    const missed = targetsOf({ ...REACHED, push: [slow, ...(REACHED.push ?? []).slice(1)] }).filter(
      each => !each.reached,
    );
    expect(missed.map(({ text }) => text)).toEqual([
      expect.stringContaining('20.0 and 80.0 ms, 1/4.00'),
      expect.stringContaining('20.0 and 5.00 ms, 4.00×'),
      expect.stringContaining('2.00 and 4.00 ms, 1/2.00'),
    ]);
  });

  it('are said to be out of reach where NATS alone needs longer for two round trips', () => {
    const twice = pushFigures('NATS round trip, twice', 10_240, samplesOf(11, null));
    const texts = targetsOf({ ...REACHED, push: [...(REACHED.push ?? []), twice] }).map(({ text }) => text);
    expect(texts.filter(text => text.includes('out of reach'))).toEqual([
      expect.stringMatching(/Erlang's acknowledged load.*that is 10\.0 ms, and two bare round trips take 11\.0/),
      expect.stringContaining('2× the bare round trip'),
    ]);
  });

  it('are missed by one failed call', () => {
    const [served] = REACHED.restarts?.contenders ?? [];
    if (served === undefined) throw new TypeError('nothing is served');
    const contenders = [{ ...served, during: { ...served.during, failed: 1 } }];
    const missed = targetsOf({ ...REACHED, restarts: { rate: 200, plainStart: 1, contenders } }).filter(
      ({ reached }) => !reached,
    );
    expect(missed.map(({ text }) => text)).toEqual(['no call fails during pushes: 1 failed']);
  });

  it('say nothing of what was not measured', () => {
    expect(targetsOf(NOTHING)).toEqual([]);
  });
});

describe('a report', () => {
  it('has each contender in times of Hotcast', () => {
    const rows = reportOf(REACHED).split('\n');
    expect(rows.find(row => row.includes('Erlang multicall'))).toMatch(/80\.0 +80\.5 +8\.00×/);
    expect(rows.find(row => row.includes('NATS round trip'))).toMatch(/5\.00 +5\.50 +0\.50×/);
  });

  it('leaves out what was not measured', () => {
    expect(reportOf(NOTHING)).not.toMatch(/NaN|undefined|Push|Scale|Cost/);
  });

  it('has no number that is not one', () => {
    expect(reportOf(REACHED)).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('a plot', () => {
  it('names contenders, sizes, parts and fleets on a background of its own', async () => {
    const svg = await plotOf(REACHED);
    for (const text of ['Erlang multicall', '10 KB', 'prepare', 'edit to live', 'push, simulated', 'fill="#ffffff"']) {
      expect(svg).toContain(text);
    }
    expect(svg).not.toMatch(/NaN|undefined/);
  });

  it('is none where there is nothing to plot', async () => {
    expect(await plotOf(NOTHING)).toBe(null);
  });
});
