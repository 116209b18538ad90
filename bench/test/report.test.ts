import { describe, expect, it } from 'vitest';

import { figuresOfTurns } from '../http/http.ts';
import { plotOf } from '../plot.ts';
import { reportOf } from '../report.ts';
import type { Results } from '../results.ts';
import { targetsOf } from '../targets.ts';
import { hotCall, pushesAround, REACHED, serversOf } from './results.ts';

const NOTHING: Results = {
  ...REACHED,
  http: null,
  calls: null,
  push: null,
  work: null,
  joining: null,
  edit: null,
  tail: null,
  console: null,
  cost: null,
  restarts: null,
  scale: null,
  idle: null,
};

const missed = (results: Results): string[] => targetsOf(results).flatMap(([reached, text]) => (reached ? [] : [text]));

describe('targets', () => {
  it('are reached by a value exactly at the limit', () => {
    expect(missed(REACHED)).toEqual([]);
    expect(targetsOf(REACHED)).toHaveLength(26);
  });

  it('are missed by a push that is slower than its share of others; they show the ratio', () => {
    const slow = pushesAround('Hotcast', 16, 2);
    expect(missed({ ...REACHED, push: [slow, ...REACHED.push.slice(1)] })).toEqual([
      "a push of 10 KB takes ≤ 0.65 of the other checkout's: 16.0 and 20.0 ms, 0.80",
      'a push of 10 KB takes ≤ 1 of an Erlang multicall: 16.0 and 13.0 ms, 1.23',
      expect.stringContaining("its p99 is ≤ Erlang's: "),
      "the skew of 10 KB is ≤ 0.25 of Erlang's: 2.00 and 4.00 ms, 0.50",
    ]);
  });

  it('are out of reach where NATS alone needs longer for two round trips', () => {
    const twice = pushesAround('NATS round trip, twice', 30, null);
    const texts = targetsOf({ ...REACHED, push: [...REACHED.push, twice] }).map(([, text]) => text);
    expect(texts.filter(text => text.includes('out of reach'))).toEqual([
      expect.stringMatching(/of it the cluster ≤ 25 ms.*that is 25\.0 ms, and two bare round trips take 30\.0/),
    ]);
  });

  it('are missed by a hot module that serves less than its share', () => {
    const http = figuresOfTurns({ turns: serversOf('GET', 'node-server', 0.89), rss: {} });
    expect(missed({ ...REACHED, http })).toEqual(['GET: ≥ 0.9 of the requests that node-server serves: 0.89']);
  });

  it('are missed by a hot call that costs more than its share, or allocates', () => {
    const calls = {
      ...REACHED.calls,
      hot: { ...REACHED.calls.hot, swapped: [{ ...hotCall, ratio: 1.25, bytes: 16 }] },
    };
    expect(missed({ ...REACHED, calls })).toEqual([
      'a hot: call of a function that adds costs ≤ 1.2 plain calls: 1.25',
      'a hot: call allocates nothing: 16.0 bytes more than a plain one',
    ]);
  });

  it('are missed by a node that its modules make start more than half a second later', () => {
    const { all, ...rest } = REACHED.joining;
    const joining = { ...rest, all: { ...all, ready: { ...all.ready, p50: 801 } } };
    expect(missed({ ...REACHED, joining })).toEqual([
      'a node with 200 modules starts ≤ 500 ms after one without: 501 ms',
    ]);
  });

  it('are missed by a tail that slows a push by more than a tenth', () => {
    const tail = { ...REACHED.tail, shown: { count: 10, p50: 56, p99: 60 } };
    expect(missed({ ...REACHED, tail })).toEqual(['a push takes ≤ 1.1× with a tail: 1.12 ×']);
  });

  it('are missed by one failed call', () => {
    const contenders = REACHED.restarts.contenders.map(each => ({ ...each, during: { ...each.during, failed: 1 } }));
    const results = { ...REACHED, restarts: { ...REACHED.restarts, contenders } };
    expect(missed(results)).toEqual(['no call fails during pushes: 1 failed']);
  });

  it('leave out what was not measured', () => {
    expect(targetsOf(NOTHING)).toEqual([]);
  });
});

describe('a report', () => {
  it("shows each contender in times of Hotcast's median", () => {
    const rows = reportOf(REACHED).split('\n');
    expect(rows.find(row => row.includes('Erlang multicall'))).toMatch(/13\.0 \| +13\.5 \| +1\.00×/);
    expect(rows.find(row => row.includes('NATS round trip'))).toMatch(/6\.50 \| +6\.99 \| +0\.50×/);
  });

  it('compares a change with what was before it', () => {
    const after = serversOf('GET', 'node-server', 0.9);
    const before = serversOf('GET', 'node-server', 0.6)
      .slice(0, 1)
      .map(each => ({ ...each, server: 'hotcast before' }));
    const rows = reportOf({ ...NOTHING, http: figuresOfTurns({ turns: [...after, ...before], rss: {} }) }).split('\n');
    expect(rows.find(row => row.startsWith('| GET '))).toMatch(/\| GET +\| +1\.50 \| +1\.50 \| +1\.00 \|/);
  });

  it('leaves out what was not measured', () => {
    expect(reportOf(NOTHING)).not.toMatch(/NaN|undefined|Push|Scale|Cost/);
  });

  it('has a value in every cell', () => {
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

  it('is null when there is nothing to plot', async () => {
    expect(await plotOf(NOTHING)).toBe(null);
  });
});
