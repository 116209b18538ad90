import { describe, expect, it } from 'vitest';

import type { Logged } from '../../../../../controller/src/api/report.ts';
import type { ResultOf } from '../../../../../controller/src/api/results.ts';
import { outputOfLogged, renderErrors, renderLogged } from '../../../../../controller/src/cli/render/logs.ts';

const revision = '3f2a9c0b1d4e'.padEnd(64, '0');
const at = new Date(2026, 0, 2, 12, 4, 31).getTime();
const entry = { at, module: 'demo', revision, level: 'info', text: 'boss', nodes: ['fred'], count: 1 } as const;
const logged = (...entries: Logged['entries']): Logged => ({ type: 'logged', entries, dropped: 0 });

describe('render of what modules log', () => {
  it('names the node, or counts nodes and times, and says what is no information', () => {
    const all = ['fred', 'betty', 'wilma'];
    const text = renderLogged(
      logged(entry, { ...entry, nodes: all, count: 3 }, { ...entry, level: 'warn', count: 2, text: 'ouch\n  at x' }),
    );
    expect(text.split('\n')).toEqual([
      '12:04:31 fred demo@3f2a9c0b1d4e  boss',
      '12:04:31 3 nodes ×3 demo@3f2a9c0b1d4e  boss',
      '12:04:31 fred ×2 demo@3f2a9c0b1d4e warn  ouch',
      '  at x',
    ]);
  });

  it('says how many were dropped, and what to do', () => {
    expect(renderLogged({ type: 'logged', entries: [], dropped: 12_345 })).toBe(
      '… 12,345 dropped: name modules, or use --grep, --level or --node',
    );
  });

  it('prints nothing that controls the terminal', () => {
    expect(renderLogged(logged({ ...entry, text: '\u001B[2Jclear\r\ttab\u009B' }))).toMatch(
      /\\x1b\[2Jclear\\x0d\ttab\\x9b$/,
    );
  });

  it('is a line of output an entry', () => {
    expect(outputOfLogged({ ...logged(entry, entry), dropped: 3 })).toEqual([
      { logged: entry },
      { logged: entry },
      { dropped: 3 },
    ]);
  });
});

describe('render of errors', () => {
  const error = { type: 'RangeError', message: 'not today', stack: 'RangeError: not today\n    at refuse (x)' };
  const kept = { at, count: 2, where: 'demo.add', error };
  const nodes: ResultOf<'errors'>['nodes'] = [
    { status: 'answered', node: 'fred', revisions: [{ revision, errors: [kept] }] },
    { status: 'answered', node: 'betty', revisions: [{ revision, errors: [{ ...kept, at: at + 1_000 }] }] },
    { status: 'silent', node: 'hoppy' },
  ];
  const result: ResultOf<'errors'> = { command: 'errors', module: 'demo', nodes };

  it('has equal errors of a revision once, with the last time, and names the silent nodes', () => {
    expect(renderErrors(result, false).split('\n')).toEqual([
      'demo@3f2a9c0b1d4e',
      `  ${new Date(at + 1_000).toISOString()}  2 nodes ×4`,
      '    demo.add: RangeError: not today',
      '        at refuse (x)',
      'silent: hoppy',
    ]);
  });

  it('has them for each node when that was asked for', () => {
    expect(renderErrors(result, true)).toMatch(/ betty ×2\n[^]* fred ×2\n/);
  });

  it('says that there are none', () => {
    expect(renderErrors({ ...result, nodes: [] }, false)).toBe('no errors of demo are known');
  });
});
