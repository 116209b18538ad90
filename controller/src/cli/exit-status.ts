import type { Result } from '../api/results.ts';

/** The meaning of each exit status of `hotcast`, as help and docs/cli.md have it. */
export const EXIT_STATUSES = {
  0: 'done',
  1: 'a node refused, a call failed, the change does not stand, or a node does not run what it should',
  2: 'nothing was changed: wrong use, wrong sources, no controller, no node',
  3: 'a node that should have answered was silent, and nothing else is wrong',
  4: 'the canary stays open: nothing failed, but too little was seen of it',
  5: 'what came of the change is not known yet',
  130: 'interrupted: Ctrl+C or SIGTERM',
} as const;

/** The exit status of a command that has no result. */
export const NO_RESULT = 2;

/** The exit status of a change whose result could not be looked up. */
export const UNKNOWN = 5;

/** The exit status of a command that was interrupted, as a shell gives it for Ctrl+C. */
export const INTERRUPTED = 130;

/** The outcomes of a push with which the heads say what the user asked for. */
const DONE: ReadonlySet<string> = new Set(['committed', 'unchanged']);

/** The states of a module on a node that are as the operator wants it. */
export const FINE: ReadonlySet<string> = new Set(['ok', 'left out']);

/**
 * The exit status of a command that has a result.
 *
 * - 0: every node that was asked did what it was asked.
 * - 1: a node refused, a call failed, a node does not run its desired revision, or the heads did not stay committed.
 * - 3: a node that should have answered was silent, and nothing of the above.
 * - 2: a change that was looked up has written nothing.
 * - 4: nothing failed on the canary's nodes, but too little was seen: too few calls, or a node did not answer.
 * - 5: the heads of a change that was looked up are written, and the nodes have not all answered.
 */
export function exitStatus(result: Result): 0 | 1 | 2 | 3 | 4 | 5 {
  if (result.command === 'history' || result.command === 'audit' || result.command === 'events') return 0;
  if (result.command === 'keys rotate' || result.command === 'keys revoke') return 0;
  if (result.command === 'operator add' || result.command === 'operator revoke' || result.command === 'operator list')
    return 0;
  if (result.command === 'bans' || result.command === 'names') return 0;
  if (result.command === 'doctor') return result.checks.some(({ state }) => state === 'wrong') ? 1 : 0;
  if (result.command === 'status') {
    if (result.nodes.some(({ state }) => !FINE.has(state) && state !== 'silent')) return 1;
    return result.silent.length > 0 ? 3 : 0;
  }
  if (result.command === 'result') {
    const statuses = {
      committed: result.silent > 0 ? 3 : 0,
      reverted: 1,
      none: NO_RESULT,
      unfinished: UNKNOWN,
    } as const;
    return statuses[result.outcome];
  }
  if ('outcome' in result && result.outcome === 'undecided') return 4;
  if ('outcome' in result && !DONE.has(result.outcome)) return result.outcome === 'unanswered' ? 3 : 1;
  const statuses = new Set<string>(result.nodes.map(({ status }) => status));
  if (['refused', 'error', 'busy', 'not_tried'].some(status => statuses.has(status))) return 1;
  return statuses.has('silent') ? 3 : 0;
}
