import { randomUUID } from 'node:crypto';

import type { Result } from '../../api/results.ts';
import { exitStatus, NO_RESULT } from '../exit-status.ts';
import { atom } from './answers.ts';
import { type Asking, CHANGE_TIMEOUT_MS, Failure } from './asking.ts';
import type { EntryOf } from './entry.ts';
import { DONE, done, type Outcome } from './outcome.ts';

/** Who changes something, for the history and the audit. */
export interface Changer {
  readonly asking: Asking;
  readonly author: string;
  readonly render: (result: Result) => string;
}

/** Compiles a module and loads it on one node. */
export async function compile(
  { asking, author, render }: Changer,
  { module, answer }: EntryOf<'compile'>,
  node: string,
  signal: AbortSignal,
): Promise<Outcome> {
  const body = { type: 'compile' as const, module, author, node, check: true };
  try {
    const result = await asking.for('compile', body, CHANGE_TIMEOUT_MS, signal);
    const status = exitStatus(result);
    if (status !== DONE) return { text: `${render(result)}\nerror`, status };
    const [, ...warnings] = render(result).split('\n');
    return done([...warnings, `{${answer},${atom(module)}}`].join('\n'));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { text: `${error.message}\nerror`, status: NO_RESULT };
  }
}

/** Pushes modules to all nodes. */
export async function push(
  { asking, author, render }: Changer,
  { modules, isErlang }: EntryOf<'push'>,
  signal: AbortSignal,
): Promise<Outcome> {
  const how = { force: false, check: true, dryRun: false, canary: null };
  const body = { type: 'push' as const, modules: [...modules], author, change: randomUUID(), ...how };
  const result = await asking.any(body, CHANGE_TIMEOUT_MS, signal);
  const status = exitStatus(result);
  const value = status === DONE ? ['abcast'] : ['error'];
  return { text: [render(result), ...(isErlang ? value : [])].join('\n'), status };
}

/** Ends versions that drain, on one node or all. */
export async function purge(
  { asking, author, render }: Changer,
  { module, force }: EntryOf<'purge'>,
  node: string | null,
  signal: AbortSignal,
): Promise<Outcome> {
  const body = { type: 'purge' as const, module, author, force, ...(node === null ? {} : { node }) };
  const result = await asking.for('purge', body, CHANGE_TIMEOUT_MS, signal);
  if (result.nodes.some(({ status }) => status === 'silent'))
    return { text: render(result), status: exitStatus(result) };
  const isBusy = result.nodes.some(({ status }) => status === 'busy');
  const hasFailed = result.nodes.some(row => row.status === 'purged' && (row.failedCalls ?? 0) > 0);
  // Erlang: whether a process was killed; whether nothing used old code.
  return done(String(force ? hasFailed : !isBusy));
}
