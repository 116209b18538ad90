import { describe, expect, it } from 'vitest';

import { render } from '../../../../../controller/src/cli/render/render.ts';
import type { HeadChangeResult, NodeOutcome, PushResult } from '../../../../../controller/src/api/results.ts';

const revision = '3f2a9c0b1d4e'.padEnd(64, '0');
const times = { compile: 12.34, prepare: 3.21, write: 0.4, commit: 1.5, skew: 0.25 };

const push = (outcome: PushResult['outcome'], detail: string, nodes: readonly NodeOutcome[]): PushResult => ({
  command: 'push',
  modules: [{ module: 'demo', revision }],
  unchanged: [],
  affected: [],
  outcome,
  detail,
  nodes,
  times,
});

describe('render of a push', () => {
  it('has a line a node, the totals, and the times', () => {
    const nodes: NodeOutcome[] = [
      { node: 'fred', status: 'loaded', ms: 4.04 },
      { node: 'bambam', status: 'loaded', ms: 250.6 },
      { node: 'betty', status: 'silent' },
    ];
    expect(render(push('committed', '', nodes)).split('\n')).toEqual([
      'fred    loaded  4.0 ms',
      'bambam  loaded  251 ms',
      'betty   silent  should have answered and did not',
      'demo@3f2a9c0b1d4e committed · 2 loaded · 1 silent · p50 4.0 ms · max 251 ms',
      'compile 12.3 ms, prepare 3.2 ms, write 0.4 ms, commit 1.5 ms, skew 0.3 ms',
    ]);
  });

  it('says which nodes have no more of a module that moved', () => {
    const nodes: NodeOutcome[] = [
      { node: 'fred', status: 'loaded', ms: 4, removed: true },
      { node: 'worker-1', status: 'loaded', ms: 4 },
    ];
    expect(
      render(push('committed', '', nodes))
        .split('\n')
        .slice(0, 3),
    ).toEqual([
      'fred      removed  4.0 ms',
      'worker-1  loaded   4.0 ms',
      'demo@3f2a9c0b1d4e committed · 1 loaded · 1 removed · p50 4.0 ms · max 4.0 ms',
    ]);
  });

  it('has each warning once, with the nodes that gave it', () => {
    const names = ['fred', 'bambam', 'betty', 'wilma', 'barney'];
    const nodes = names.map((node): NodeOutcome => ({ node, status: 'loaded', ms: 4, warnings: ['old classes'] }));
    const late: NodeOutcome = { node: 'dino', status: 'loaded', ms: 4, warnings: ['late calls'] };
    expect(
      render(push('committed', '', [...nodes, late]))
        .split('\n')
        .slice(7, 9),
    ).toEqual(['warning of fred, bambam, betty and 2 more: old classes', 'warning of dino: late calls']);
  });

  it('has the longest time that a call has waited for a codeChange, of all nodes', () => {
    const nodes = [undefined, 12.34, 501].map((waitedMs, index): NodeOutcome => ({
      node: `n${index}`,
      status: 'loaded',
      ms: 4,
      ...(waitedMs && { waitedMs }),
    }));
    expect(render(push('committed', '', nodes)).split('\n')[3]).toBe(
      'demo@3f2a9c0b1d4e committed · 3 loaded · p50 4.0 ms · max 4.0 ms · calls waited up to 501 ms',
    );
  });

  it('has the reason of each refusal, and what became of the push', () => {
    const nodes: NodeOutcome[] = [
      { node: 'fred', status: 'refused', reason: 'on_load_failure', detail: 'TypeError: no' },
    ];
    expect(render(push('refused', 'nothing changed on any node', nodes)).split('\n')).toEqual([
      'fred  refused  on_load_failure: TypeError: no',
      'demo@3f2a9c0b1d4e refused · 1 refused',
      'nothing changed on any node',
      'compile 12.3 ms, prepare 3.2 ms, write 0.4 ms, commit 1.5 ms, skew 0.3 ms',
    ]);
  });

  it('has no empty line when no node has anything to say', () => {
    expect(
      render(push('overtaken', 'wilma was faster', []))
        .split('\n')
        .slice(0, 2),
    ).toEqual(['demo@3f2a9c0b1d4e overtaken', 'wilma was faster']);
  });

  it('says in one line that nothing was written, and names the nodes that were silent', () => {
    const detail = 'nothing was written (--force writes it again)';
    const line = `unchanged: demo@3f2a9c0b1d4e is deployed; ${detail}`;
    expect(render(push('unchanged', detail, []))).toBe(line);
    expect(render(push('unchanged', detail, [{ node: 'fred', status: 'silent' }]))).toBe(
      `fred  silent  should have answered and did not\n${line}`,
    );
  });

  it('names the modules of a set that were left alone', () => {
    const modules = ['demo', 'counter'].map(module => ({ module, revision }));
    const result = { ...push('committed', '', []), modules, unchanged: ['counter'] };
    expect(render(result).split('\n').slice(0, 2)).toEqual([
      'demo@3f2a9c0b1d4e committed',
      'unchanged: counter@3f2a9c0b1d4e (--force writes it again)',
    ]);
  });

  it('names other modules that have changed sources too', () => {
    const affected = ['bar', 'baz'].map(module => ({ module, files: ['modules/lib/helper.ts'] }));
    const line =
      'changed sources are also in bar (modules/lib/helper.ts), baz (modules/lib/helper.ts); ' +
      'push them with: hotcast push --affected';
    expect(render({ ...push('committed', '', []), affected }).split('\n')[1]).toBe(line);
    expect(render({ ...push('unchanged', 'nothing was written', []), affected }).split('\n')).toEqual([
      'unchanged: demo@3f2a9c0b1d4e is deployed; nothing was written',
      line,
    ]);
  });

  it('says in one line that no module is affected', () => {
    const detail = 'the sources of all modules are as they were pushed';
    expect(render({ ...push('unchanged', detail, []), modules: [] })).toBe(detail);
    expect(render({ command: 'dry-run', modules: [], nodes: [] })).toContain(detail);
  });

  it('takes the nearest rank for p50: never a time that no node had', () => {
    const nodes = [30, 10, 20, 40].map((ms, index): NodeOutcome => ({ node: `n${index}`, status: 'loaded', ms }));
    expect(render(push('committed', '', nodes))).toContain('4 loaded · p50 20.0 ms · max 40.0 ms');
  });
});

describe('render of a compile', () => {
  it("is Erlang's answer when it loaded", () => {
    const nodes = [{ node: 'fred', status: 'loaded', ms: 3 }] as const;
    expect(render({ command: 'compile', module: 'demo', revision, nodes })).toBe('{ok, demo, 3f2a9c0b1d4e}');
  });

  it('is the reason when it did not', () => {
    const nodes = [{ node: 'fred', status: 'refused', reason: 'badfile', detail: 'SyntaxError: no' }] as const;
    expect(render({ command: 'compile', module: 'demo', revision, nodes })).toBe(
      'fred  refused  badfile: SyntaxError: no',
    );
  });
});

describe('render of a canary', () => {
  it('tells who is not in it', () => {
    const nodes: NodeOutcome[] = [
      { node: 'fred', status: 'loaded', ms: 1 },
      { node: 'betty', status: 'kept' },
    ];
    expect(
      render(push('committed', '0 of 7 calls failed in 10 s', nodes))
        .split('\n')
        .slice(0, 4),
    ).toEqual([
      'fred   loaded  1.0 ms',
      'betty  kept    not in the canary',
      'demo@3f2a9c0b1d4e committed · 1 loaded · 1 kept · p50 1.0 ms · max 1.0 ms',
      '0 of 7 calls failed in 10 s',
    ]);
  });
});

describe('render of a change without a bundle', () => {
  const change = (command: HeadChangeResult['command'], to: string | null): HeadChangeResult => ({
    command,
    modules: [{ module: 'demo', revision: to }],
    outcome: 'committed',
    detail: '',
    nodes: [{ node: 'fred', status: 'loaded', ms: 1 }],
    times: { write: 0.4, commit: 1.5, skew: 0 },
  });

  it.each([
    [change('rollback', revision), 'demo@3f2a9c0b1d4e rollback committed · 1 loaded · p50 1.0 ms · max 1.0 ms'],
    [change('remove', null), 'demo remove committed · 1 loaded · p50 1.0 ms · max 1.0 ms'],
  ])('says what was done, to what: $command', (result, title) => {
    expect(render(result).split('\n').slice(1)).toEqual([title, 'write 0.4 ms, commit 1.5 ms, skew 0.0 ms']);
  });
});
