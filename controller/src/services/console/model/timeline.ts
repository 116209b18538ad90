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

const GOOD: ReadonlySet<string> = new Set(['committed', 'done', 'unchanged', 'passed', 'loaded']);
const BAD: ReadonlySet<string> = new Set(['failed', 'refused', 'reverted', 'rolled-back', 'unanswered']);

/** Moments with more of them, newest first, each once. */
export function withMoments(moments: readonly Moment[], added: readonly Moment[]): readonly Moment[] {
  if (added.length === 0) return moments;
  const known = new Set(moments.map(({ key }) => key));
  const fresh = added.filter(({ key }) => !known.has(key));
  if (fresh.length === 0) return moments;
  return [...fresh, ...moments].toSorted((a, b) => b.at - a.at || (a.key < b.key ? -1 : 1)).slice(0, KEPT);
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
