import type { AuditEntry } from '../../../../../protocol/history/audit-entry.ts';
import { shortRevision } from '../../../../../protocol/revision.ts';
import type { Level } from './node.ts';

/** One thing that has happened. */
export interface Moment {
  /** Unique. */
  readonly key: string;
  readonly at: number;
  readonly level: Level;
  /** What, in one or two words: `push`, `rollback (canary)`, `node started`. */
  readonly what: string;
  /** The modules with the revisions, or the node. */
  readonly subjects: readonly Subject[];
  readonly outcome: string;
  readonly detail: string;
  readonly author: string;
  readonly message: string;
  readonly commit: string;
}

export interface Subject {
  readonly kind: 'revision' | 'module' | 'node';
  readonly name: string;
  readonly revision?: string;
}

/** So many moments are kept. */
const KEPT = 80;

/** The same of several nodes is one moment, if it happens to the next one within this time (milliseconds): a fleet that starts. */
const JOIN_MS = 10_000;

const GOOD: ReadonlySet<string> = new Set(['committed', 'done', 'unchanged', 'passed', 'loaded']);
const BAD: ReadonlySet<string> = new Set(['failed', 'refused', 'reverted', 'rolled-back', 'unanswered']);

/** Moments with more of them, newest first, each once. */
export function withMoments(moments: readonly Moment[], added: readonly Moment[]): readonly Moment[] {
  if (added.length === 0) return moments;
  const known = new Set(moments.map(({ key }) => key));
  const fresh = added.filter(({ key }) => !known.has(key));
  if (fresh.length === 0) return moments;
  return joined([...fresh, ...moments].toSorted((a, b) => b.at - a.at || (a.key < b.key ? -1 : 1))).slice(0, KEPT);
}

/** Moments, newest first, in which the same of several nodes is one. It keeps the key of the first of them, and has the time of the last. */
function joined(moments: readonly Moment[]): Moment[] {
  const all: Moment[] = [];
  for (const moment of moments) {
    const newer = all.at(-1);
    if (newer === undefined || !isSameOfOthers(newer, moment)) all.push(moment);
    else all[all.length - 1] = { ...moment, at: newer.at, subjects: [...newer.subjects, ...moment.subjects] };
  }
  return all;
}

function isSameOfOthers(newer: Moment, older: Moment): boolean {
  const [a, b] = [newer, older].map(({ what, level, detail }) => `${what}/${level}/${detail}`);
  const isOfNodes = [...newer.subjects, ...older.subjects].every(({ kind }) => kind === 'node');
  const names = new Set(newer.subjects.map(({ name }) => name));
  const isOfOthers = older.subjects.every(({ name }) => !names.has(name));
  return isOfNodes && a === b && isOfOthers && newer.at - older.at <= JOIN_MS;
}

export function momentOf(entry: AuditEntry): Moment {
  const { at, change, author, command, outcome, detail, modules, message = '', git } = entry;
  const isRollback = command.startsWith('rollback');
  return {
    key: `${change ?? ''}/${command}/${at}`,
    at,
    level: BAD.has(outcome) ? 'bad' : GOOD.has(outcome) && !(isRollback && command !== 'rollback') ? 'ok' : 'warn',
    what: command,
    subjects: modules.map(({ module, revision }) =>
      revision === null ? { kind: 'module', name: module } : { kind: 'revision', name: module, revision },
    ),
    outcome,
    detail,
    author,
    message,
    commit: git === undefined ? '' : `${git.commit.slice(0, 8)}${git.dirty ? ' with changes' : ''}`,
  };
}

/** Something that a node did. */
export function nodeMoment(node: string, what: string, level: Level, detail: string, at: number): Moment {
  return {
    key: `${node}/${what}/${at}`,
    at,
    level,
    what,
    subjects: [{ kind: 'node', name: node }],
    outcome: '',
    detail,
    author: '',
    message: '',
    commit: '',
  };
}

export function subjectText({ kind, name, revision = '' }: Subject): string {
  return kind === 'revision' ? `${name}@${shortRevision(revision)}` : name;
}
