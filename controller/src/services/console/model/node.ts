import {
  desiredRevision,
  groupsOf,
  type Head,
  isOnHead,
  offeredRevision,
  revisionsOf,
} from '../../../../../protocol/head.ts';
import { isBan, keptOffBy } from '../../../../../protocol/kept-off.ts';
import { HEARTBEAT_INTERVAL, MAX_HEARTBEAT_INTERVAL, MISSED_HEARTBEATS } from '../../../../../protocol/limits.ts';
import type { NodeDescription } from '../../../../../protocol/messages.ts';
import { FIRST_SERVICE, serviceOf } from '../../../../../protocol/names.ts';
import { shortRevision } from '../../../../../protocol/revision.ts';

/** A heartbeat that is so late is missed (milliseconds). */
const LATE_MS = 600;

/** A node that said goodbye, or whose container is gone, is shown so long (milliseconds). */
export const LEFT_SHOWN_MS = 60_000;

/** A node that nobody has heard, and the engine does not know, is shown so long (milliseconds). */
const SILENT_SHOWN_MS = 10 * 60_000;

/** The states of a node, in one word each, the calm ones first. */
export const STATES = [
  'running',
  'starting',
  'debugged',
  'behind',
  'quarantined',
  'refused',
  'left',
  'late',
  'stopped',
  'banned',
  'foreign',
  'silent',
] as const;

export type State = (typeof STATES)[number];

/** How much of a glance a state needs. */
export type Level = 'ok' | 'note' | 'warn' | 'bad';

const LEVELS: Readonly<Record<State, Level>> = {
  running: 'ok',
  starting: 'note',
  debugged: 'note',
  left: 'note',
  behind: 'warn',
  quarantined: 'warn',
  late: 'warn',
  refused: 'bad',
  stopped: 'bad',
  banned: 'bad',
  foreign: 'bad',
  silent: 'bad',
};

export function levelOf(state: State): Level {
  return LEVELS[state];
}

/** What a change has of a node while it runs. */
export interface Mark {
  readonly change: string;
  /** `waiting`, `prepare`, `commit`, or its outcome: `loaded`, `refused`, `silent`, … */
  readonly step: string;
}

/** A node as the console knows it. A new object whenever something of it has changed. */
export interface NodeView {
  readonly name: string;
  /** What it said last; null when it was never heard. */
  readonly description: NodeDescription | null;
  /** When it was heard last, milliseconds since 1970; null: never. */
  readonly heardAt: number | null;
  /** When it said goodbye. */
  readonly leftAt: number | null;
  /** What the engine says of its container: `running`, `exited`, `gone`, …; null: not known. */
  readonly container: string | null;
  /** The release that it speaks, if that is another one. */
  readonly foreign: number | null;
  /** The calls that failed in the last minute. */
  readonly failures: readonly { readonly at: number; readonly count: number }[];
  readonly mark: Mark | null;
  readonly state: State;
  /** Since when, milliseconds since 1970. */
  readonly since: number;
  /** Why, in plain words; empty when there is nothing to say. */
  readonly why: string;
}

export const UNHEARD: Omit<NodeView, 'name' | 'since'> = {
  description: null,
  heardAt: null,
  leftAt: null,
  container: null,
  foreign: null,
  failures: [],
  mark: null,
  state: 'starting',
  why: 'its container runs, and no heartbeat has come yet',
};

type Judged = readonly [State, string];

/** The state of a node now, and why. */
export function judge(
  node: Omit<NodeView, 'state' | 'since' | 'why'>,
  heads: ReadonlyMap<string, Head>,
  now: number,
): Judged {
  const { description, heardAt, leftAt, container, foreign } = node;
  if (leftAt !== null) return ['left', 'it said goodbye and has ended'];
  if (container !== null && container !== 'running') return stopped(container);
  if (heardAt === null) return ['starting', UNHEARD.why];
  // How often a node of another release sends one is not known.
  const interval = foreign === null ? (description?.heartbeatInterval ?? HEARTBEAT_INTERVAL) : MAX_HEARTBEAT_INTERVAL;
  const quietMs = now - heardAt;
  if (quietMs > MISSED_HEARTBEATS * interval)
    return [
      'silent',
      description?.debugged === true ? 'a debugger holds it' : 'no heartbeat comes: blocked, cut off or dead',
    ];
  if (foreign !== null)
    return ['foreign', `it is of another release (protocol ${foreign}); nothing that it says is read`];
  if (description === null) return ['starting', UNHEARD.why];
  if (quietMs > interval + LATE_MS) return ['late', 'a heartbeat is missing'];
  return judgeModules(description, heads, isTakingPart(node.mark));
}

function stopped(container: string): Judged {
  if (container === 'gone') return ['stopped', 'its container is gone'];
  if (container === 'paused') return ['stopped', 'its container is paused'];
  if (container === 'restarting') return ['stopped', 'its container starts again and again'];
  return ['stopped', `its container has ended (${container})`];
}

/** The outcomes of a change that leave a node behind. */
const LEFT_BEHIND: ReadonlySet<string> = new Set(['refused', 'silent']);

/** Whether a node is in a change that runs, or has just loaded it: its next heartbeat tells what it runs. */
function isTakingPart(mark: Mark | null): boolean {
  return mark !== null && !LEFT_BEHIND.has(mark.step);
}

/** What a node runs, against what it should run. The worst is told. @param isChanging whether it is on its way to newer heads. */
function judgeModules(description: NodeDescription, heads: ReadonlyMap<string, Head>, isChanging: boolean): Judged {
  const { node, modules, refusals } = description;
  const reasons: Judged[] = [];
  for (const [module, refusal] of Object.entries(refusals)) {
    const head = heads.get(module);
    if (head !== undefined && refusal.sequence < head.sequence) continue;
    if (refusal.reason === 'banned') reasons.push(['banned', `${module} brought it down: ${refusal.detail}`]);
    else reasons.push(['refused', `${module} (${refusal.reason}): ${refusal.detail}`]);
  }
  for (const head of heads.values()) {
    const { module } = head;
    const running = modules[module];
    const kept = keptOffBy(head.keptOff, node, offeredRevision(head, node));
    if (kept !== undefined && isBan(kept))
      reasons.push(['quarantined', `kept off ${module}@${shortRevision(kept.revision)}: ${kept.detail}`]);
    else if (!isChanging && !isOnHead(head, node, running))
      reasons.push(['behind', behindText(head, running?.revision, desiredRevision(head, node))]);
  }
  if (description.debugged === true) reasons.push(['debugged', 'a debugger is attached']);
  const order: readonly State[] = ['banned', 'refused', 'quarantined', 'behind', 'debugged'];
  const [worst] = reasons.toSorted(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  return worst ?? ['running', ''];
}

function behindText(head: Head, has: string | undefined, wants: string | null): string {
  const { module } = head;
  const isElsewhere = groupsOf(head) !== null && revisionsOf(head).length > 0;
  if (wants === null) return `still has ${module}, which ${isElsewhere ? 'is not for its group' : 'was removed'}`;
  const should = `should run ${module}@${shortRevision(wants)}`;
  return has === undefined ? `${should}, and has nothing of it` : `${should}, runs ${shortRevision(has)}`;
}

/** Whether a node is shown no more. */
export function isForgotten({ state, since, container }: NodeView, now: number): boolean {
  if (state === 'left' || (state === 'stopped' && container === 'gone')) return now - since > LEFT_SHOWN_MS;
  return state === 'silent' && container === null && now - since > SILENT_SHOWN_MS;
}

/** The group of a node: its service, which its name says. What the first service is called, its nodes say themselves. */
export function groupOf({ name, description }: Pick<NodeView, 'name' | 'description'>): string {
  const service = serviceOf(name);
  return service === FIRST_SERVICE ? description?.group || service : service;
}

/** How many calls failed in the last minute. */
export function errorsOf({ failures }: NodeView): number {
  return failures.reduce((sum, { count }) => sum + count, 0);
}
