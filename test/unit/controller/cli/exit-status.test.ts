import { describe, expect, it } from 'vitest';

import type { NodeOutcome, PushResult, Result, StatusRow } from '../../../../controller/src/api/results.ts';
import { exitStatus } from '../../../../controller/src/cli/exit-status.ts';
import type { CallAnswer } from '../../../../protocol/messages.ts';

const loaded: NodeOutcome = { node: 'fred', status: 'loaded', ms: 1 };
const refused: NodeOutcome = { node: 'betty', status: 'refused', reason: 'badfile', detail: 'no' };
const silent = { node: 'wilma', status: 'silent' } as const;
const revision = 'f'.repeat(64);

const pushed = (outcome: PushResult['outcome'], ...nodes: NodeOutcome[]): Result => ({
  command: 'push',
  modules: [{ module: 'demo', revision }],
  unchanged: [],
  affected: [],
  outcome,
  detail: '',
  nodes,
  times: { compile: 1, prepare: 1, write: 1, commit: 1, skew: 1 },
});
const changed = (outcome: PushResult['outcome'], ...nodes: NodeOutcome[]): Result => ({
  command: 'rollback',
  modules: [{ module: 'demo', revision }],
  outcome,
  detail: '',
  nodes,
  times: { write: 1, commit: 1, skew: 1 },
});
const drifted = (...states: StatusRow['state'][]): Result => ({
  command: 'status',
  changed: [{ module: 'demo', files: ['modules/demo.ts'] }],
  heads: [],
  nodes: states.map(state => ({
    module: 'demo',
    node: 'fred',
    desired: revision,
    running: null,
    canary: false,
    state,
    errors: 0,
    draining: [],
  })),
  silent: states.includes('silent') ? ['fred'] : [],
});
const compiled = (...nodes: NodeOutcome[]): Result => ({ command: 'compile', module: 'demo', revision, nodes });

const value: CallAnswer = { node: 'fred', status: 'value', json: '9', revision, output: [] };
const error: CallAnswer = { node: 'fred', status: 'error', failure: 'undef', type: 'undef', message: 'no', output: [] };
const called = (...nodes: (CallAnswer | typeof silent)[]): Result => ({
  command: 'call',
  call: 'demo.add(4, 5)',
  single: false,
  stack: false,
  nodes,
});

describe('exitStatus', () => {
  it.each<[string, Result, number]>([
    ['every node loaded', pushed('committed', loaded), 0],
    ['one was silent', pushed('committed', loaded, silent), 3],
    ['one saw a newer head', pushed('committed', loaded, refused), 1],
    ['a refusal is worse than silence', pushed('committed', silent, refused), 1],
    ['a push was refused', pushed('refused', refused), 1],
    ['a push was reverted', pushed('reverted', loaded, refused), 1],
    ['a push was overtaken, though all loaded it', pushed('overtaken', loaded), 1],
    ['a push was overtaken before any loaded it', pushed('overtaken'), 1],
    ['nobody answered a push', pushed('unanswered', silent), 3],
    ['a push was unchanged', pushed('unchanged'), 0],
    ['a push was unchanged, and a node was silent', pushed('unchanged', silent), 3],
    ['a canary was rolled back', pushed('rolled-back', loaded), 1],
    ['a canary took too few calls', pushed('undecided', loaded), 4],
    ['a canary was superseded', pushed('superseded', loaded), 1],
    [
      'a node was silent before anything was pushed',
      { command: 'status', heads: [], nodes: [], changed: [], silent: ['fred'] },
      3,
    ],
    ['a canary took too few calls, and a node was silent', pushed('undecided', loaded, silent), 4],
    [
      'nodes outside of the canary kept what they had',
      pushed('committed', loaded, { node: 'betty', status: 'kept' }),
      0,
    ],
    ['a rollback was committed', changed('committed', loaded), 0],
    ['a rollback was overtaken', changed('overtaken'), 1],
    ['a node is behind', drifted('ok', 'behind'), 1],
    ['a node has what compile loaded', drifted('here only'), 1],
    ['every node is on its heads', drifted('ok', 'ok'), 0],
    ['a node does not answer in time', drifted('ok', 'silent'), 3],
    ['a node differs and another one does not answer', drifted('silent', 'behind'), 1],
    ['a history', { command: 'history', module: 'demo', heads: [] }, 0],
    ['the node loaded it', compiled(loaded), 0],
    ['the node refused it', compiled(refused), 1],
    ['the node was silent', compiled(silent), 3],
    ['every call gave a value', called(value), 0],
    ['a call failed', called(value, error, silent), 1],
    ['a call had no answer', called(value, silent), 3],
    ['every node purged', { command: 'purge', nodes: [{ node: 'fred', status: 'purged' }] }, 0],
    [
      'calls run on draining versions',
      { command: 'purge', nodes: [{ node: 'fred', status: 'busy', calls: 1, draining: [] }, silent] },
      1,
    ],
    ['pong', { command: 'ping', nodes: [{ node: 'fred', status: 'pong', ms: 1 }] }, 0],
    ['pang', { command: 'ping', nodes: [{ node: 'fred', status: 'pong', ms: 1 }, silent] }, 3],
    ['a listed node is silent', { command: 'nodes', nodes: [{ ...silent, container: 'c1', group: 'node' }] }, 3],
    ['an empty list', { command: 'nodes', nodes: [] }, 0],
  ])('%s', (_, result, status) => {
    expect(exitStatus(result)).toBe(status);
  });
});
