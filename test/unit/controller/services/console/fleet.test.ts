import { describe, expect, it } from 'vitest';

import type { Fact } from '../../../../../controller/src/services/console/model/fact.ts';
import {
  emptyFleet,
  type Fleet,
  isControllerGone,
  reduce,
} from '../../../../../controller/src/services/console/model/fleet.ts';
import { groupOf } from '../../../../../controller/src/services/console/model/node.ts';
import { totalOf } from '../../../../../controller/src/services/console/model/series.ts';
import type { NodeDescription } from '../../../../../protocol/messages.ts';
import { fastest } from '../../../../support/fastest.ts';
import { PROTOCOL } from '../../../../../protocol/version.ts';
import { headOf, moduleStateOf } from '../../../fixtures.ts';

const ONE = 'a'.repeat(64);
const TWO = 'b'.repeat(64);
const START = 1_700_000_000_000;

function described(node: string, more: Partial<NodeDescription> = {}): NodeDescription {
  return {
    node,
    protocol: PROTOCOL,
    container: `container-${node}`,
    pid: 7,
    startedAt: START - 100_000,
    uptimeSeconds: 100,
    memoryBytes: 2 ** 26,
    modules: { demo: moduleStateOf(ONE, 1) },
    draining: [],
    refusals: {},
    loopDelay: 2,
    rejected: 0,
    ...more,
  };
}

const heartbeat = (at: number, description: NodeDescription): Fact => ({ type: 'heartbeat', at, description });
const tick = (at: number): Fact => ({ type: 'tick', at });
const head = (revision: string, sequence: number): Fact => ({
  type: 'heads',
  at: START,
  heads: [headOf('demo', revision, sequence)],
});

/** The fleet after these facts, with fred and betty on the first revision of demo. */
function after(...facts: readonly Fact[]): Fleet {
  const before = [head(ONE, 1), heartbeat(START, described('fred')), heartbeat(START, described('betty'))];
  return [...before, ...facts].reduce(reduce, emptyFleet('dino', START));
}

const stateOf = (fleet: Fleet, node: string) => fleet.nodes.get(node)?.state;

describe('the state of a node', () => {
  it('is running while its heartbeats come and it runs what it should', () => {
    expect(stateOf(after(tick(START + 2_000)), 'fred')).toBe('running');
  });

  it('is late within three seconds of its last heartbeat, and then silent since that heartbeat', () => {
    expect(stateOf(after(tick(START + 2_700)), 'fred')).toBe('late');
    const fleet = after(tick(START + 6_100));
    expect(fleet.nodes.get('fred')).toMatchObject({ state: 'silent', since: START });
  });

  it('is running while it takes part in a change, and with what it has loaded before its next heartbeat', () => {
    const of = { change: 'c1', outcome: 'committed', detail: '', ms: 90 } as const;
    const why = { message: 'why', author: 'wilma', command: 'push', modules: ['demo'] };
    const told = (progress: Extract<Fact, { type: 'progress' }>['progress']): Fact => ({
      type: 'progress',
      at: START + 10,
      progress,
    });
    const begun = after(told({ step: 'started', change: 'c1', ...why }), head(TWO, 2));
    expect(stateOf(begun, 'fred')).toBe('running');
    const ended = reduce(
      begun,
      told({
        step: 'ended',
        ...of,
        modules: [{ module: 'demo', revision: TWO }],
        times: { prepare: 40, commit: 30 },
        refusals: {},
        nodes: { loaded: ['fred'], silent: ['betty'] },
      }),
    );
    expect(['fred', 'betty'].map(node => stateOf(ended, node))).toEqual(['running', 'behind']);
    expect(ended.nodes.get('fred')?.description?.modules['demo']?.revision).toBe(TWO);
    expect(ended.change?.result?.times).toEqual({ prepare: 40, commit: 30 });
  });

  it('is behind, with both revisions, when a newer head is not on it', () => {
    const node = after(head(TWO, 2)).nodes.get('fred');
    expect(node).toMatchObject({
      state: 'behind',
      why: `should run demo@${TWO.slice(0, 12)}, runs ${ONE.slice(0, 12)}`,
    });
  });

  it('is that of its group: it has nothing of a module for another one', () => {
    const moved = { ...headOf('demo', TWO, 2), groups: { names: ['worker'], first: false } };
    const heads: Fact = { type: 'heads', at: START, heads: [moved] };
    const worker = described('worker-1', { modules: { demo: moduleStateOf(TWO, 2) } });
    const fleet = after(heads, heartbeat(START, worker), heartbeat(START, described('betty', { modules: {} })));
    expect(['worker-1', 'betty', 'fred'].map(node => stateOf(fleet, node))).toEqual(['running', 'running', 'behind']);
    expect(fleet.nodes.get('fred')?.why).toBe('still has demo, which is not for its group');
  });

  it('goes with its group, which is in its name', () => {
    const groups = after(
      heartbeat(START, described('fred', { group: 'web' })),
      heartbeat(START, described('worker-1', { group: 'web' })),
    );
    const found = Object.fromEntries([...groups.nodes].map(([name, node]) => [name, groupOf(node)]));
    expect(found).toEqual({ fred: 'web', betty: 'node', 'worker-1': 'worker' });
  });

  it('does not go back to an older head', () => {
    expect(after(head(TWO, 2), head(ONE, 1)).heads.get('demo')?.revision).toBe(TWO);
  });

  it('is banned or refused, with the reason, by what it says', () => {
    const refusal = (reason: 'banned' | 'on_load_failure') => ({ demo: { sequence: 1, reason, detail: 'it threw' } });
    const fleet = after(
      heartbeat(START, described('fred', { refusals: refusal('banned') })),
      heartbeat(START, described('betty', { refusals: refusal('on_load_failure') })),
    );
    expect([stateOf(fleet, 'fred'), stateOf(fleet, 'betty')]).toEqual(['banned', 'refused']);
  });

  it('is stopped at once when the engine says so', () => {
    const containers = [{ id: 'container-fred', name: 'hotcast-node-1', state: 'exited' }];
    const fleet = after({ type: 'roster', at: START, answer: { status: 'containers', containers } });
    expect(fleet.nodes.get('fred')).toMatchObject({ state: 'stopped', why: 'its container has ended (exited)' });
  });

  it('is left after its goodbye, of which the last word makes no second moment', () => {
    const goodbye = (at: number, hasEnded: boolean): Fact => ({
      type: 'goodbye',
      at,
      description: described('fred', { leavesWithinMs: 8_000, hasEnded }),
    });
    const fleet = after(goodbye(START + 100, false), goodbye(START + 200, true));
    expect(stateOf(fleet, 'fred')).toBe('left');
    expect(fleet.moments.filter(({ what }) => what === 'node left')).toHaveLength(1);
    const again = after(
      goodbye(START + 100, false),
      heartbeat(START + 300, described('fred')),
      goodbye(START + 400, false),
    );
    expect(again.moments.filter(({ what }) => what === 'node left')).toHaveLength(2);
  });

  it('that starts is one moment with the others that start with it, and another one when it starts again', () => {
    const started = (node: string, at: number): Fact =>
      heartbeat(at, described(node, { startedAt: at, uptimeSeconds: 1 }));
    const names = Array.from({ length: 30 }, (_, index) => `node-${index + 31}`);
    const fleet = [
      ...names.map((node, index) => started(node, START + 500 * index)),
      started('late', START + 60_000),
      started('late', START + 61_000),
      started('node-31', START + 61_500),
    ].reduce(reduce, emptyFleet('dino', START));
    const moments = fleet.moments.map(({ what, subjects }) => [what, subjects.length]);
    expect(moments).toEqual([
      ['node restarted', 2],
      ['node started', 1],
      ['node started', 30],
    ]);
    expect(fleet.moments.map(({ at }) => at - START)).toEqual([61_500, 60_000, 14_500]);
    expect(new Set(fleet.moments.map(({ key }) => key)).size).toBe(3);
  });

  it('is not late while the console itself is cut off, nor right after', () => {
    const cut: Fact = { type: 'link', at: START + 1_000, isUp: false };
    const healed: Fact = { type: 'link', at: START + 60_000, isUp: true };
    expect(stateOf(after(cut, tick(START + 50_000)), 'fred')).toBe('running');
    expect(stateOf(after(cut, healed, tick(START + 61_000)), 'fred')).toBe('running');
    expect(stateOf(after(cut, healed, tick(START + 70_000)), 'fred')).toBe('silent');
  });

  it('is foreign while it speaks another protocol, and is forgotten like any other when it has gone', () => {
    const foreign: Fact = { type: 'foreign', at: START + 100, node: 'wilma', protocol: PROTOCOL + 2 };
    expect(stateOf(after(foreign), 'wilma')).toBe('foreign');
    const silent = after(foreign, tick(START + 200_000));
    expect(stateOf(silent, 'wilma')).toBe('silent');
    expect(stateOf(reduce(silent, tick(START + 900_000)), 'wilma')).toBeUndefined();
    const containers = [{ id: 'container-wilma', name: 'hotcast-node-4', node: 'wilma', state: 'exited' }];
    const stopped = after(foreign, { type: 'roster', at: START + 200, answer: { status: 'containers', containers } });
    expect(stateOf(stopped, 'wilma')).toBe('stopped');
  });

  it('keeps the object of a node about which nothing has changed', () => {
    const fleet = after();
    expect(reduce(fleet, tick(START + 100)).nodes.get('fred')).toBe(fleet.nodes.get('fred'));
  });
});

describe('the fleet', () => {
  it('takes in 2,000 heartbeats of 10,000 nodes in little time, and keeps what it was before', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `node-${index}`);
    const all = names.reduce((fleet, name) => reduce(fleet, heartbeat(START, described(name))), after());
    expect(all.nodes.size).toBe(10_002);
    let later = all;
    const ms = fastest(() => {
      later = names
        .slice(0, 2_000)
        .reduce((fleet, name) => reduce(fleet, heartbeat(START + 1_000, described(name, { loopDelay: 9 }))), all);
    });
    // To copy all nodes for each of them takes five seconds or more.
    expect(ms).toBeLessThan(1_500);
    expect([all, later].map(({ nodes }) => nodes.get('node-77')?.description?.loopDelay)).toEqual([2, 9]);
    expect([...later.nodes.keys()].toSorted()).toEqual(['betty', 'fred', ...names].toSorted());
    expect(reduce(later, tick(START + 2_000)).series.memory.at(-1)).toBe(2 ** 26);
  });

  it('has no controller when its digests stop', () => {
    const digest: Fact = { type: 'digest', at: START };
    expect(isControllerGone(after(digest, tick(START + 2_000)))).toBe(false);
    expect(isControllerGone(after(digest, tick(START + 2_900)))).toBe(true);
  });

  it('counts the calls that ended between heartbeats, also over a new revision', () => {
    const counted = (revision: string, calls: number, errors: number) =>
      described('fred', { modules: { demo: { ...moduleStateOf(revision, 1), calls, errors } } });
    const fleet = after(
      heartbeat(START + 100, counted(ONE, 10, 1)),
      heartbeat(START + 200, counted(ONE, 15, 1)),
      heartbeat(START + 300, counted(TWO, 4, 2)),
    );
    expect([fleet.series.calls.at(-1), fleet.series.errors.at(-1)]).toEqual([19, 3]);
  });

  it('counts requests apart from calls, and errors by revision, while they are of the last ten minutes', () => {
    const counted = (revision: string, calls: number, requests: number, errors: number) =>
      described('fred', { modules: { demo: { ...moduleStateOf(revision, 1), calls, requests, errors } } });
    const fleet = after(
      heartbeat(START + 100, counted(ONE, 10, 7, 1)),
      heartbeat(START + 200, counted(ONE, 15, 7, 1)),
      heartbeat(START + 300, counted(TWO, 4, 4, 2)),
    );
    const { calls, requests, errorsBy } = fleet.series;
    expect([calls.at(-1), requests.at(-1)]).toEqual([8, 11]);
    expect([...errorsBy].map(([name, values]) => [name, totalOf(values)])).toEqual([
      [`demo@${ONE}`, 1],
      [`demo@${TWO}`, 2],
    ]);
    expect(reduce(fleet, tick(START + 300_000)).series.errorsBy.size).toBe(2);
    expect(reduce(fleet, tick(START + 610_000)).series.errorsBy.size).toBe(0);
  });

  it('keeps the errors of a few revisions, however many a node names', () => {
    const names = Array.from({ length: 100 }, (_, index) => `m${index}`);
    const modules = Object.fromEntries(names.map(name => [name, { ...moduleStateOf(ONE, 1), errors: 1 }]));
    expect(after(heartbeat(START + 100, described('fred', { modules }))).series.errorsBy.size).toBe(12);
  });

  it('remembers how long the last 40 pushes took that came to their commit', () => {
    const pushed = (index: number, command: string, commit: number): Fact[] =>
      [
        { step: 'started', command, author: 'wilma', modules: ['demo'] },
        {
          step: 'ended',
          modules: [
            { module: 'demo', revision: ONE },
            { module: 'web', revision: ONE },
          ],
          outcome: 'committed',
          detail: '',
          ms: 9_999,
          times: { compile: 100, prepare: 10, write: 2, commit, skew: 1 },
          refusals: {},
          nodes: {},
        },
      ].map(step => ({ type: 'progress', at: START + index, progress: { change: `p${index}`, ...step } }) as Fact);
    const facts = Array.from({ length: 45 }, (_, index) => pushed(index, 'push', 8)).flat();
    const { pushes } = after(...facts, ...pushed(50, 'rollback', 8));
    expect(pushes.map(({ id }) => id)).toEqual(Array.from({ length: 40 }, (_, index) => `p${index + 5}`));
    expect(pushes[0]).toMatchObject({ what: 'demo and 1 more', ms: 120, compile: 100, prepare: 10, commit: 10 });
    expect(after(...pushed(1, 'push', -2)).pushes).toEqual([]);
  });

  it('shows a push on each node as it answers, and its result', () => {
    const change = 'push-1';
    const progress = (at: number, more: object): Fact =>
      ({ type: 'progress', at, progress: { change, ...more } }) as Fact;
    const started = progress(START, { step: 'started', command: 'push', author: 'wilma', modules: ['demo'] });
    const prepared = progress(START + 10, {
      step: 'phase',
      phase: 'prepare',
      answered: 1,
      expected: 2,
      nodes: ['fred'],
    });
    const ended = progress(START + 20, {
      step: 'ended',
      modules: [],
      outcome: 'committed',
      detail: '',
      ms: 20,
      times: { skew: 3 },
      refusals: {},
      nodes: { loaded: ['fred', 'betty'] },
    });
    const marks = (fleet: Fleet) => ['fred', 'betty'].map(node => fleet.nodes.get(node)?.mark?.step);
    expect(marks(after(started, prepared))).toEqual(['prepare', 'waiting']);
    const fleet = after(started, prepared, ended);
    expect(marks(fleet)).toEqual(['loaded', 'loaded']);
    expect(fleet.change).toMatchObject({ result: { outcome: 'committed', skew: 3, counts: [['loaded', 2]] } });
    expect(marks(reduce(fleet, tick(START + 10_000)))).toEqual([undefined, undefined]);
  });

  it('has each entry of the audit once, newest first', () => {
    const entry = {
      at: START,
      change: 'x',
      author: 'wilma',
      command: 'push',
      modules: [],
      outcome: 'committed',
      detail: '',
    };
    const fact: Fact = { type: 'audit', at: START, entries: [entry, { ...entry, at: START + 5, command: 'rollback' }] };
    expect(after(fact, fact).moments.map(({ what }) => what)).toEqual(['rollback', 'push']);
  });
});
