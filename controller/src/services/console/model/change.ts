import type { Progress } from '../../../../../protocol/history/progress.ts';
import type { Mark } from './node.ts';

/** One phase of a change. */
export interface Phase {
  readonly name: string;
  readonly answered: number;
  readonly expected: number;
  readonly startedAt: number;
}

/** A change of the fleet as it happens: a push, a rollback, … */
export interface Change {
  readonly id: string;
  readonly command: string;
  readonly author: string;
  readonly message: string;
  readonly commit: string;
  readonly modules: readonly { readonly module: string; readonly revision: string | null }[];
  readonly startedAt: number;
  readonly phases: readonly Phase[];
  /** Null while it runs. */
  readonly result: ChangeResult | null;
}

export interface ChangeResult {
  readonly outcome: string;
  readonly detail: string;
  readonly ms: number;
  readonly skew: number | null;
  /** How long each phase took, by the controller's clock (milliseconds). */
  readonly times: Readonly<Record<string, number>>;
  readonly endedAt: number;
  /** How many nodes have which outcome: `30 loaded`. */
  readonly counts: readonly (readonly [status: string, count: number])[];
}

/** So long the result of a change stays on its nodes (milliseconds). */
export const MARKS_SHOWN_MS = 6_000;

/** A change of which nothing more is heard was left by its controller (milliseconds). */
const LOST_MS = 120_000;

/** The change after one more message. One that began unseen is not shown. */
export function nextChange(change: Change | null, progress: Progress, at: number): Change | null {
  if (progress.step === 'started') return started(progress, at);
  if (change === null || change.id !== progress.change || change.result !== null) return change;
  if (progress.step === 'phase') return { ...change, phases: withPhase(change.phases, progress, at) };
  const { outcome, detail, ms, modules, times } = progress;
  const counts = Object.entries(progress.nodes).map(([status, nodes]) => [status, nodes.length] as const);
  return {
    ...change,
    modules: modules.length > 0 ? modules : change.modules,
    result: { outcome, detail, ms, skew: times['skew'] ?? null, times, endedAt: at, counts },
  };
}

/** The change, or none when its controller has left it. */
export function unlessLost(change: Change | null, at: number): Change | null {
  const lastAt = change?.phases.at(-1)?.startedAt ?? change?.startedAt ?? at;
  return change?.result === null && at - lastAt > LOST_MS ? null : change;
}

function started(
  { change, command, author, modules, message = '', git }: Extract<Progress, { step: 'started' }>,
  at: number,
): Change {
  return {
    id: change,
    command,
    author,
    message,
    commit: git === undefined ? '' : `${git.commit.slice(0, 8)}${git.dirty ? ' with changes' : ''}`,
    modules: modules.map(module => ({ module, revision: null })),
    startedAt: at,
    phases: [],
    result: null,
  };
}

function withPhase(phases: readonly Phase[], step: Extract<Progress, { step: 'phase' }>, at: number): readonly Phase[] {
  const { phase: name, answered, expected } = step;
  const known = phases.find(phase => phase.name === name);
  const next = { name, answered, expected, startedAt: known?.startedAt ?? at };
  return known === undefined ? [...phases, next] : phases.map(phase => (phase === known ? next : phase));
}

/** What a message of a change says of nodes. */
export function marksOf(progress: Progress): ReadonlyMap<string, Mark> {
  const { change } = progress;
  if (progress.step === 'phase')
    return new Map(progress.nodes.map(node => [node, { change, step: progress.phase }] as const));
  if (progress.step === 'started') return new Map();
  return new Map(
    Object.entries(progress.nodes).flatMap(([step, nodes]) => nodes.map(node => [node, { change, step }] as const)),
  );
}
