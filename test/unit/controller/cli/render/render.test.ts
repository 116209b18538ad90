import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { render } from '../../../../../controller/src/cli/render/render.ts';
import type { CallResult } from '../../../../../controller/src/api/results.ts';
import type { CallAnswer } from '../../../../../protocol/messages.ts';
import { descriptionOf, headOf, moduleStateOf } from '../../../fixtures.ts';

const revision = '3f2a9c0b1d4e'.padEnd(64, '0');
const callResult = (single: boolean, nodes: CallResult['nodes'], stack = false): CallResult => ({
  command: 'call',
  call: 'demo.add(4, 5)',
  single,
  stack,
  nodes,
});

const value = (node: string, json?: string, output: string[] = []) =>
  ({ node, status: 'value', revision, output, ...(json === undefined ? {} : { json }) }) as const;

const SINCE = Date.UTC(2026, 0, 2, 3, 4, 5);
const draining = {
  module: 'demo',
  since: SINCE,
  revision: 'abcdef012345'.padEnd(64, '0'),
  inFlight: 2,
  heldBy: 'GET /demo/events',
};
const DRAINS = 'demo@abcdef012345 drains since 2026-01-02T03:04:05.000Z (3 h 5 min), 2 in flight: GET /demo/events';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: SINCE + (3 * 60 + 5) * 60_000 }));
afterEach(() => void vi.useRealTimers());

describe('render of a call', () => {
  it('is the value alone when one node was named', () => {
    expect(render(callResult(true, [value('fred', '9')]))).toBe('9');
  });

  it('names each node otherwise, with what was printed before its value', () => {
    const nodes = [
      value('fred', '9', ['Calculating like a boss!', 'done']),
      value('bambam'),
      { node: 'betty', status: 'error', failure: 'exception', type: 'TypeError', message: 'no', output: ['ouch'] },
      { node: 'wilma', status: 'silent' },
    ] as const satisfies CallResult['nodes'];
    expect(render(callResult(false, nodes)).split('\n')).toEqual([
      'fred | Calculating like a boss!',
      'fred | done',
      'fred    9',
      'bambam  undefined',
      'betty | ouch',
      'betty   TypeError: no',
      'wilma   silent: no answer in time (wait longer with --timeout 60s)',
    ]);
  });

  it('names the node that failed, also when it alone was asked', () => {
    const message = 'module demo is not loaded on node betty';
    const failed: CallAnswer = { node: 'betty', status: 'error', failure: 'undef', type: 'undef', message, output: [] };
    expect(render(callResult(true, [failed]))).toBe(`betty  undef: ${message}`);
  });

  it('has the stack in place of the message when it was asked for, where there is one', () => {
    const error = { status: 'error', failure: 'exception', type: 'RangeError', message: 'no' } as const;
    const stack = 'RangeError: no\n    at add (demo@3f2a9c0b1d4e modules/demo.ts:4:9)';
    const nodes = [
      { ...error, node: 'fred', output: ['ouch'], stack },
      { ...error, node: 'bambam', output: [] },
    ];
    expect(render(callResult(false, nodes)).split('\n')).toEqual([
      'fred | ouch',
      'fred    RangeError: no',
      'bambam  RangeError: no',
    ]);
    expect(render(callResult(false, nodes, true)).split('\n')).toEqual([
      'fred | ouch',
      'fred    RangeError: no',
      '    at add (demo@3f2a9c0b1d4e modules/demo.ts:4:9)',
      'bambam  RangeError: no',
    ]);
  });
});

describe('render of a ping', () => {
  it('is pong for one node that is there', () => {
    expect(render({ command: 'ping', nodes: [{ node: 'fred', status: 'pong', ms: 1 }] })).toBe('pong');
  });

  it('is a line a node for more, and pang for who is silent', () => {
    const nodes = [
      { node: 'fred', status: 'pong', ms: 1.25 },
      { node: 'betty', status: 'silent' },
    ] as const;
    expect(render({ command: 'ping', nodes }).split('\n')).toEqual(['fred   pong  1.3 ms', 'betty  pang  silent']);
  });

  it('is pang for one node that is not there', () => {
    expect(render({ command: 'ping', nodes: [{ node: 'betty', status: 'silent' }] })).toBe('betty  pang  silent');
  });
});

describe('render of the nodes', () => {
  it('has a column for each thing that is known of a node', () => {
    const fred = {
      ...descriptionOf('fred', {}, '0123456789ab'),
      status: 'present',
      group: 'node',
      startedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
      memoryBytes: 50 * 1024 * 1024,
      modules: {
        demo: moduleStateOf(revision, 5),
        counter: moduleStateOf(revision, 0),
      },
    } as const;
    const nodes = [
      { ...fred, clockOffsetMs: -12 },
      { ...fred, node: 'bambam', modules: {}, clockOffsetMs: 3_600_000 },
      { node: 'betty', status: 'silent', container: 'ba9876543210', group: 'node' } as const,
    ];
    expect(render({ command: 'nodes', nodes }).split('\n')).toEqual([
      'NODE    CONTAINER     PID  STARTED                   UPTIME  MEMORY  CLOCK      MODULES',
      'fred    0123456789ab  7    2026-01-02T03:04:05.000Z  61 s    50 MiB  -12 ms     counter@3f2a9c0b1d4e (here only) demo@3f2a9c0b1d4e',
      'bambam  0123456789ab  7    2026-01-02T03:04:05.000Z  61 s    50 MiB  +3600.0 s  -',
      'betty   ba9876543210                                                            silent',
    ]);
  });

  it('has the group of each node, if there are several', () => {
    const present = { status: 'present', memoryBytes: 50 * 1024 * 1024 } as const;
    const nodes = [
      { ...descriptionOf('fred'), ...present, group: 'web' },
      { node: 'worker-1', status: 'silent', container: 'c1', group: 'worker' } as const,
    ];
    expect(render({ command: 'nodes', nodes }).split('\n')).toEqual([
      expect.stringMatching(/^NODE {6}GROUP {3}CONTAINER /),
      expect.stringMatching(/^fred {6}web {5}c1 /),
      expect.stringMatching(/^worker-1 {2}worker {2}c1 .* silent$/),
    ]);
  });

  it('has the machine of each node, if there are several', () => {
    const present = { status: 'present', memoryBytes: 50 * 1024 * 1024, group: 'node' } as const;
    const nodes = [
      { ...descriptionOf('fred'), ...present, machine: 'hub' },
      { ...descriptionOf('wilma'), ...present },
      { node: 'node-101', status: 'silent', container: 'c1', group: 'node', machine: 'b' } as const,
    ];
    expect(render({ command: 'nodes', nodes }).split('\n')).toEqual([
      expect.stringMatching(/^NODE {6}MACHINE {2}CONTAINER /),
      expect.stringMatching(/^fred {6}hub {6}c1 /),
      expect.stringMatching(/^wilma {5}- {8}c1 /),
      expect.stringMatching(/^node-101 {2}b {8}c1 .* silent$/),
    ]);
  });

  it('has a block for each group of many nodes', () => {
    const nodes = Array.from({ length: 12 }, (_, index) => {
      const [node, group] = index < 8 ? [`web-${index + 1}`, 'web'] : [`worker-${index - 7}`, 'worker'];
      return { ...descriptionOf(node), status: 'present' as const, group };
    });
    const text = render({ command: 'nodes', nodes });
    expect(text).toMatch(/^8 nodes of web /m);
    expect(text).toMatch(/^4 nodes of worker /m);
  });

  it('names a node to which a debugger is attached', () => {
    const nodes = [{ ...descriptionOf('fred'), debugged: true, status: 'present', group: 'node' }] as const;
    expect(render({ command: 'nodes', nodes })).toMatch(/ \(a debugger is attached\)$/);
  });

  it('says why a node is silent, if that is known', () => {
    const silent = { node: 'fred', status: 'silent', detail: 'a debugger is attached' } as const;
    expect(render({ command: 'nodes', nodes: [{ ...silent, container: '0123456789ab', group: 'node' }] })).toMatch(
      / silent: a debugger is attached$/,
    );
    expect(render({ command: 'ping', nodes: [silent] })).toBe('fred  pang  silent: a debugger is attached');
    const call = { command: 'call', call: 'demo.add(1, 2)', single: true, stack: false, nodes: [silent] } as const;
    expect(render(call)).toBe('fred  silent: a debugger is attached');
    expect(render({ command: 'compile', module: 'demo', revision, nodes: [silent] })).toBe(
      'fred  silent  a debugger is attached',
    );
  });

  it('shows the calls in flight, the errors, and what drains, also of a module that was removed', () => {
    const modules = { counter: { ...moduleStateOf(revision, 5), inFlight: 1, errors: 1 } };
    const nodes = [
      { ...descriptionOf('fred', modules), draining: [draining], status: 'present' as const, group: 'node' },
    ];
    expect(render({ command: 'nodes', nodes })).toContain(` counter@3f2a9c0b1d4e (1 in flight) (1 error) (${DRAINS})`);
  });
});

describe('render of a purge', () => {
  it('has a line a node', () => {
    const nodes = [
      { node: 'fred', status: 'purged' as const },
      { node: 'bambam', status: 'busy' as const, calls: 2, draining: [draining] },
      { node: 'betty', status: 'silent' as const },
    ];
    expect(render({ command: 'purge', nodes }).split('\n')).toEqual([
      'fred    purged',
      `bambam  busy    ${DRAINS}`,
      'betty   silent  should have answered and did not',
    ]);
  });
});

describe('render of the status', () => {
  const head = headOf('demo', revision, 5);

  it('has a row for each module and node, and how many are not on their head', () => {
    const nodes = [
      {
        module: 'demo',
        node: 'fred',
        desired: revision,
        running: revision,
        canary: true,
        state: 'ok',
        errors: 2,
        draining: [draining],
      },
      {
        module: 'demo',
        node: 'bambam',
        desired: null,
        running: null,
        canary: false,
        state: 'silent',
        errors: 0,
        draining: [],
      },
    ] as const;
    expect(render({ command: 'status', heads: [head], nodes, changed: [], silent: ['bambam'] }).split('\n')).toEqual([
      'MODULE  NODE    DESIRED                RUNNING       STATE',
      `demo    fred    3f2a9c0b1d4e (canary)  3f2a9c0b1d4e  ok; 2 errors; ${DRAINS}`,
      'demo    bambam  -                      -             silent',
      '1 of 2 are not on their head',
    ]);
  });

  it.each([
    [1, 1_200, '(tried once, next try in 2 s)'],
    [3, 8_000, '(tried 3 times, next try in 8 s)'],
  ])('says when a node tries again what it refuses', (attempts, nextAttemptInMs, expected) => {
    const why = { detail: 'on_load_failure: Error: no', attempts, nextAttemptInMs };
    const row = { module: 'demo', node: 'fred', desired: revision, running: null, canary: false, errors: 0 } as const;
    const text = render({
      command: 'status',
      heads: [],
      changed: [],
      silent: [],
      nodes: [{ ...row, state: 'refused', draining: [], ...why }],
    });
    expect(text).toContain(`-        refused: on_load_failure: Error: no ${expected}\n`);
  });

  it('names the modules whose sources have changed since their push', () => {
    const row = { module: 'demo', node: 'fred', desired: revision, running: revision, canary: false } as const;
    const nodes = [{ ...row, state: 'ok', errors: 0, draining: [] }] as const;
    const demo = { module: 'demo', files: ['modules/demo.ts', 'modules/lib/helper.ts', 'modules/lib/more.ts'] };
    const linesWith = (...changed: (typeof demo)[]) =>
      render({ command: 'status', heads: [head], nodes, changed, silent: [] })
        .split('\n')
        .slice(2);
    expect(linesWith(demo)).toEqual([
      '1 module has changed sources since its push: demo (modules/demo.ts and 2 more)',
      'every node is on its heads',
    ]);
    expect(linesWith(demo, { module: 'bar', files: ['modules/bar.ts'] })[0]).toBe(
      '2 modules have changed sources since their push: demo (modules/demo.ts and 2 more), bar (modules/bar.ts)',
    );
  });

  it('says that nothing was pushed yet, or that nothing is left', () => {
    const nothing = { command: 'status', nodes: [], changed: [], silent: [] } as const;
    expect(render({ ...nothing, heads: [] })).toBe('nothing was pushed yet');
    expect(render({ ...nothing, heads: [headOf('demo', null, 6)] })).toBe('every node is on its heads');
  });

  it('names the silent nodes also when no module is known', () => {
    const text = render({ command: 'status', heads: [], nodes: [], changed: [], silent: ['fred', 'betty'] });
    expect(text).toBe('nothing was pushed yet\nfred  silent\nbetty  silent');
  });
});

describe('render of a history', () => {
  it('has a row a head: when, what, who, what came of it, why', () => {
    const pushed = headOf('demo', revision, 5);
    const outcome = { module: 'demo', sequence: 5, verdict: 'committed', loaded: 3, refused: 0, silent: 1 } as const;
    const heads = [
      { ...pushed, revision: null, note: 'remove', outcome: null, later: [] },
      { ...pushed, outcome, later: [{ ...outcome, loaded: 4, silent: 0 }] },
    ];
    expect(render({ command: 'history', module: 'demo', heads }).split('\n')).toEqual([
      'WHEN                      REVISION      WHO    OUTCOME                                                                                   NOTE',
      '2023-11-14T22:13:20.000Z  -             wilma  unknown                                                                                   remove',
      '2023-11-14T22:13:20.000Z  3f2a9c0b1d4e  wilma  committed: 3 loaded, 0 refused, 1 silent; later committed: 4 loaded, 0 refused, 0 silent  push',
    ]);
  });
});
