import { UsageError } from '../../../../protocol/errors.ts';
import { desiredRevision } from '../../../../protocol/head.ts';
import { isBan, type KeptOff } from '../../../../protocol/kept-off.ts';
import { compareNodes } from '../../../../protocol/names.ts';
import type { OnReport } from '../../api/command.ts';
import type { Refusal } from '../../api/results.ts';
import type { LastHead } from '../../store/heads.ts';

/** A revision that is to be pushed, and the module's last head. */
interface Pushed {
  readonly module: string;
  readonly revision: string;
  readonly last: LastHead;
}

/**
 * The nodes that a push goes to. One that is left out can be unknown: whoever answers need not be in the list of containers.
 *
 * @throws UsageError when none remains.
 */
export function nodesWithout(names: ReadonlySet<string>, without: readonly string[], report: OnReport): Set<string> {
  const unknown = without.filter(node => !names.has(node));
  if (unknown.length > 0) {
    const known = [...names].toSorted(compareNodes).join(', ');
    report({ type: 'warning', message: `there is no node ${unknown.join(', ')} to leave out; nodes here: ${known}` });
  }
  const rest = [...names].filter(node => !without.includes(node));
  if (rest.length === 0) throw new UsageError('--without leaves no node to push to');
  return new Set(rest);
}

/** What keeps nodes off a revision that is pushed without them: they go on with what they should run now. */
export function leftOutOf({ revision, last: { head } }: Pushed, nodes: readonly string[], author: string): KeptOff[] {
  return nodes.flatMap(node => {
    const instead = head === null ? null : desiredRevision(head, node);
    // It runs the revision already.
    if (instead === revision) return [];
    const detail = `${author} pushed it without ${node}`;
    return { node, revision, instead, cause: 'operator' as const, detail, at: Date.now() };
  });
}

/** What keeps nodes off a revision because an earlier push of it was made without them: a push includes them again. */
export function includedIn({ revision, last: { head } }: Pushed): KeptOff[] {
  return (head?.keptOff ?? []).filter(entry => !isBan(entry) && entry.revision === revision);
}

/** The refusals that nodes would answer, if they had not forgotten: they are banned from a revision that is pushed again. */
export function bannedFrom(pushed: readonly Pushed[], names: ReadonlySet<string>): Refusal[] {
  return pushed.flatMap(({ revision, last: { head } }) =>
    (head?.keptOff ?? [])
      .filter(entry => isBan(entry) && entry.revision === revision && names.has(entry.node))
      .map(({ node, detail }) => ({ node, status: 'refused' as const, reason: 'banned' as const, detail })),
  );
}
