import { describe, expect, it } from 'vitest';

import { render } from '../../../../../controller/src/cli/render/render.ts';
import { gitStateOf } from '../../../../../protocol/history/why.ts';
import { headOf } from '../../../fixtures.ts';

const revision = '3f2a9c0b1d4e'.padEnd(64, '0');
const commit = '0123456789abcdef'.padEnd(40, '0');
const entry = { outcome: null, later: [] };

describe('render of the history', () => {
  it('names the module of each head when it is that of all modules, and says why and from which commit', () => {
    const said = { message: 'the "boss" wants it', ...gitStateOf(`${commit}-dirty`) };
    const heads = [
      { ...headOf('demo', revision, 2), ...said, ...entry },
      { ...headOf('counter', null, 1), ...entry, ...gitStateOf(commit), note: 'remove' },
    ];
    expect(render({ command: 'history', module: null, heads }).split('\n')).toEqual([
      'WHEN                      REVISION           WHO    OUTCOME  NOTE',
      '2023-11-14T22:13:20.000Z  demo@3f2a9c0b1d4e  wilma  unknown  push; "the \\"boss\\" wants it"; git 0123456789ab (dirty)',
      '2023-11-14T22:13:20.000Z  counter@-          wilma  unknown  remove; git 0123456789ab',
    ]);
    expect(render({ command: 'history', module: null, heads: [] })).toBe('nothing was pushed');
  });
});

describe('the groups of a module', () => {
  const head = { ...headOf('ticker', revision, 2), groups: { names: ['web', 'worker'], first: true } };

  it('are in the history', () => {
    const text = render({ command: 'history', module: null, heads: [{ ...head, ...entry }] });
    expect(text).toMatch(/  push \(on web and worker\)$/);
  });

  it('are in the status, for those that are not on every node', () => {
    const shop = { ...headOf('shop', revision, 1), groups: { names: ['web'], first: true } };
    const clock = { ...head, module: 'clock' };
    const gone = { ...shop, module: 'gone', revision: null };
    const heads = [head, shop, headOf('everywhere', revision, 1), clock, gone];
    const row = { module: 'shop', node: 'fred', desired: revision, running: revision, canary: false } as const;
    const nodes = [{ ...row, state: 'ok', errors: 0, draining: [] } as const];
    const text = render({ command: 'status', heads, nodes, changed: [], silent: [] });
    expect(text.split('\n').slice(2)).toEqual([
      'on web and worker only: clock, ticker',
      'on web only: shop',
      'every node is on its heads',
    ]);
  });
});

describe('render of the audit', () => {
  it('says why and from which commit', () => {
    const entries = [
      {
        at: 0,
        change: null,
        author: 'wilma',
        command: 'push',
        modules: [{ module: 'demo', revision }],
        outcome: 'committed',
        detail: '3 loaded',
        message: 'why not',
        ...gitStateOf(commit),
      },
    ];
    expect(render({ command: 'audit', entries }).split('\n')[1]).toBe(
      '1970-01-01T00:00:00.000Z  wilma  push     demo@3f2a9c0b1d4e  committed  3 loaded; "why not"; git 0123456789ab',
    );
  });
});

describe('gitStateOf', () => {
  it.each(['', 'dirty', '-dirty', 'fatal: no repository', '../..'])('reads no commit in "%s"', text => {
    expect(gitStateOf(text)).toEqual({});
  });
});
