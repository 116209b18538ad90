import { describe, expect, it } from 'vitest';

import type { Saved } from '../../../../../controller/src/api/report.ts';
import type { PushResult } from '../../../../../controller/src/api/results.ts';
import { renderSaved } from '../../../../../controller/src/cli/render/saved.ts';

const revision = '3f2a9c0b1d4e'.padEnd(64, '0');
const at = new Date(2026, 0, 2, 12, 4, 31).getTime();

const result: PushResult = {
  command: 'push',
  modules: [{ module: 'demo', revision }],
  unchanged: [],
  affected: [],
  outcome: 'committed',
  detail: '',
  nodes: [{ node: 'fred', status: 'loaded', ms: 4 }],
  times: { compile: 1, prepare: 2, write: 3, commit: 4, skew: 0 },
};

const lines = (save: Partial<Saved>): string[] =>
  renderSaved({ type: 'saved', at, ms: 61, saved: ['demo'], result, problem: null, broken: [], ...save }, false).split(
    '\n',
  );

describe('render of a save', () => {
  it('is one line when it is live', () => {
    expect(lines({})).toEqual(['12:04:31 demo@3f2a9c0b1d4e live on 1 in 61.0 ms']);
  });

  it('names the modules that were saved, and counts those that import a saved file', () => {
    const modules = ['demo', 'bar', 'baz'].map(module => ({ module, revision }));
    expect(lines({ result: { ...result, modules } })[0]).toMatch(/ demo@3f2a9c0b1d4e \+2 that import it live on 1 /);
    expect(lines({ result: { ...result, modules }, saved: [] })[0]).toMatch(/ demo@\w+, bar@\w+, baz@\w+ live on 1 /);
  });

  it('names the nodes that were silent', () => {
    const nodes = [...result.nodes, { node: 'betty', status: 'silent' } as const];
    expect(lines({ result: { ...result, nodes } })[0]).toMatch(/ live on 1 in 61\.0 ms; silent: betty$/);
  });

  it('has the place of an error, and says below every later line what is not repaired', () => {
    expect(lines({ result: null, problem: 'no\nmodules/demo.ts:1:2: x' })).toEqual([
      '12:04:31 no',
      'modules/demo.ts:1:2: x',
    ]);
    expect(lines({ broken: ['bar: modules/bar.ts:3:4: y'] })[1]).toBe(
      '         still wrong: bar: modules/bar.ts:3:4: y',
    );
  });

  it('has the answers of the nodes when they refuse it', () => {
    const nodes = [{ node: 'fred', status: 'refused', reason: 'on_load_failure', detail: 'Error: no' } as const];
    expect(lines({ result: { ...result, outcome: 'refused', nodes } }).slice(0, 2)).toEqual([
      '12:04:31 demo@3f2a9c0b1d4e refused',
      'fred  refused  on_load_failure: Error: no',
    ]);
  });
});
