import { inScope } from '../../../protocol/canary-scope.ts';
import { type Head, isAutomaticRollback } from '../../../protocol/head.ts';
import { compareNodes } from '../../../protocol/names.ts';
import { shortRevision } from '../../../protocol/revision.ts';

/** How a canary is watched. */
export interface Watch {
  /** How long (milliseconds). */
  readonly timeMs: number;
  /** With fewer calls than this, the canary is undecided. */
  readonly minCalls: number;
  /** Every node that should answer, in the canary's scope and outside. */
  readonly fleet: ReadonlySet<string>;
  /** How long the canary's nodes have to answer at the end (milliseconds). */
  readonly timeoutMs: number;
}

/** What became of a canary that was watched, with one line for people. */
export interface CanaryResult {
  /**
   * `passed`: nothing failed in the time. `undecided`: nothing failed, but too little was seen to tell. `failed`: it is rolled
   * back. `superseded`: somebody has written another head in its place.
   */
  readonly status: 'passed' | 'undecided' | 'failed' | 'superseded';
  readonly detail: string;
}

/** What was seen of a canary. */
export interface Seen {
  readonly calls: number;
  readonly errors: number;
  /** The nodes that run its revisions. */
  readonly running: readonly string[];
  /** The nodes that should run them and do not answer. */
  readonly silent: readonly string[];
  /** The time since the start of the watch (milliseconds). */
  readonly elapsedMs: number;
}

/** Judges a canary that has not failed. */
export function judge(heads: readonly Head[], seen: Seen, { minCalls, fleet }: Watch): CanaryResult {
  const modules = modulesOf(heads);
  const { calls, running, silent } = seen;
  const doubts = [
    ...(running.length === 0 ? ['no node runs it'] : []),
    ...(silent.length === 0 ? [] : [`no answer from ${namesOf(silent)}`]),
    ...(calls < minCalls ? [`fewer than ${counted(minCalls, 'call')} (--min-calls)`] : []),
  ];
  const untested = calls === 0 ? ': nothing was tested' : '';
  const title = `canary of ${modules} on ${running.length} of ${fleet.size} nodes`;
  const what = `${figures(seen)}${untested}`;
  const promote = `hotcast promote ${modules}`;
  const rollback = `hotcast rollback ${modules}`;
  if (doubts.length > 0) {
    const detail = `${title} undecided: ${what}; ${doubts.join(', ')}; it stays open: wait, or ${promote}, or ${rollback}`;
    return { status: 'undecided', detail };
  }
  return {
    status: 'passed',
    detail: `${title} passed: ${what}; everywhere with: ${promote}; back with: ${rollback}`,
  };
}

/**
 * What became of a canary whose head was replaced.
 *
 * @param failure why one of the canaries failed; null when none did.
 */
export function endOf(head: Head, replacedBy: Head, failure: string | null, seen: Seen): CanaryResult {
  const isRolledBack = isAutomaticRollback(replacedBy) && replacedBy.revertOf === head.push;
  if (isRolledBack) {
    return { status: 'failed', detail: `rolled back: ${failure ?? replacedBy.note}; ${figures(seen)}` };
  }
  const { module, revision, canary, note, author, at } = replacedBy;
  const now = canary?.revision ?? revision;
  const what = now === null ? module : `${module}@${shortRevision(now)}`;
  const detail = `superseded by: ${note} of ${what}, by ${author} at ${new Date(at).toISOString()}; ${figures(seen)} until then`;
  return { status: 'superseded', detail };
}

/** Which revisions run where while a canary is open: one line. */
export function describeOpen(heads: readonly Head[], fleet: ReadonlySet<string>): string {
  const scope = heads.find(({ canary }) => canary !== null)?.canary?.scope;
  const inside = [...fleet].filter(node => scope !== undefined && inScope(scope, node)).toSorted(compareNodes);
  const outside = fleet.size - inside.length;
  const tried = heads.map(({ module, canary }) => `${module}@${shortRevision(canary?.revision ?? '')}`).join(' ');
  const kept = heads.flatMap(({ module, revision }) =>
    revision === null ? [] : [`${module}@${shortRevision(revision)}`],
  );
  const others = outside === 0 ? '' : `, ${kept.join(' ') || 'nothing of it'} on the other ${outside}`;
  const modules = modulesOf(heads);
  const end = `the controller rolls it back if it fails; end it with: hotcast promote ${modules}, or: hotcast rollback ${modules}`;
  return `the canary of ${modules} stays open: ${tried} on ${namesOf(inside)}${others}; ${end}`;
}

function modulesOf(heads: readonly Head[]): string {
  return heads.map(({ module }) => module).join(' ');
}

/** The names of a few nodes, or how many they are. */
function namesOf(nodes: readonly string[]): string {
  return nodes.length > 5 ? `${nodes.length} nodes` : nodes.join(', ');
}

/** `1,204 calls, 0 errors in 10 s`. */
function figures({ calls, errors, elapsedMs }: Seen): string {
  const seconds = elapsedMs / 1_000;
  return `${counted(calls, 'call')}, ${counted(errors, 'error')} in ${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
