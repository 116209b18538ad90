import { describe, expect, it } from 'vitest';

import type { Result } from '../../../../controller/src/api/results.ts';
import { nameDebugged } from '../../../../controller/src/server/debugged-nodes.ts';

const revision = 'a'.repeat(64);
const named = (result: Result): Result => nameDebugged(result, node => node === 'fred' || node === 'betty');

describe('nameDebugged', () => {
  it('says in each row of the status that a debugger is attached, unless the row says something else', () => {
    const row = { module: 'demo', desired: revision, running: revision, canary: false, errors: 0, draining: [] };
    const nodes = [
      { ...row, node: 'fred', state: 'silent' as const, running: null },
      { ...row, node: 'bambam', state: 'silent' as const, running: null },
      { ...row, node: 'betty', state: 'ok' as const },
      { ...row, node: 'betty', state: 'refused' as const, detail: 'badfile' },
    ];
    const result = named({ command: 'status', heads: [], nodes, changed: [], silent: ['fred', 'bambam'] });
    expect('nodes' in result && result.nodes.map(each => ('detail' in each ? each.detail : null))).toEqual([
      'a debugger is attached',
      null,
      'a debugger is attached',
      'badfile',
    ]);
  });

  it.each([
    { command: 'ping', nodes: [{ node: 'fred', status: 'silent' }] },
    { command: 'compile', module: 'demo', revision, nodes: [{ node: 'fred', status: 'silent' }] },
    { command: 'nodes', nodes: [{ node: 'fred', status: 'silent', container: '0123456789ab', group: 'node' }] },
    {
      command: 'call',
      call: 'demo.add(1, 2)',
      single: true,
      stack: false,
      nodes: [{ node: 'fred', status: 'silent' }],
    },
  ] satisfies Result[])('says it of a silent node in the result of $command', result => {
    expect(named(result)).toMatchObject({ nodes: [{ node: 'fred', detail: 'a debugger is attached' }] });
  });

  it('does not say it of a node that answered', () => {
    const result: Result = { command: 'ping', nodes: [{ node: 'fred', status: 'pong', ms: 1 }] };
    expect(named(result)).toEqual(result);
  });
});
