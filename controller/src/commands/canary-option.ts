import { canaryRank, type CanaryScope, shareScope } from '../../../protocol/canary-scope.ts';
import { UsageError } from '../../../protocol/errors.ts';
import { compareNodes } from '../../../protocol/names.ts';
import { type Groups, isInGroups } from '../../../protocol/placement/groups.ts';
import type { CommandContext } from './context.ts';
import { canaryGroups, groupNamed, type Placed } from './placement.ts';

/** The scope of a canary of these modules. @param all the nodes that there are. @throws UsageError see {@link parseScope} */
export async function scopeOf(
  context: Pick<CommandContext, 'groups'>,
  text: string,
  modules: readonly Placed[],
  all: ReadonlySet<string>,
): Promise<CanaryScope> {
  const groups = canaryGroups(modules);
  const configured = text.includes(' of ') ? [...(await context.groups()).keys()] : [];
  const nodes = [...all].filter(node => isInGroups(groups, node));
  return parseScope(text, nodes, groups, group => groupNamed(group, configured, all));
}

/**
 * Reads the scope of a canary: a number of nodes (`1`), a share of the fleet (`10%`) or of a group (`10% of web`), or names
 * (`fred,betty`).
 *
 * @param all the nodes of the modules' groups.
 * @param groups these groups; null: every one.
 * @param named finds a group by its name. @throws UsageError
 * @throws UsageError when the text is none of them, or names what does not exist.
 */
export function parseScope(
  text: string,
  all: readonly string[],
  groups: Groups | null = null,
  named: (group: string) => Groups = noGroup,
): CanaryScope {
  const [, digits, percent, group] = /^(\d+)(%?)(?: of (\S+))?$/.exec(text) ?? [];
  const of = group === undefined ? groups : named(group);
  const nodes = all.filter(node => isInGroups(of, node));
  if (digits === undefined) return namesScope(text.split(','), nodes);
  const number = Number(digits);
  if (percent === '%') {
    if (number < 1 || number > 100) throw new UsageError(`a canary's share is 1% to 100%, not ${text}`);
    if (nodes.length === 0) throw new UsageError(`a canary on ${text} has no node`);
    return shareScope(number / 100, nodes, of);
  }
  if (number < 1 || number > nodes.length) {
    const where = group === undefined ? '' : ` of ${group}`;
    throw new UsageError(`a canary on ${number} nodes${where} needs between 1 and the ${nodes.length} that there are`);
  }
  return { type: 'names', names: nodes.toSorted((a, b) => canaryRank(a) - canaryRank(b)).slice(0, number) };
}

function namesScope(names: readonly string[], nodes: readonly string[]): CanaryScope {
  for (const name of names) {
    if (nodes.includes(name)) continue;
    const known = nodes.toSorted(compareNodes).join(', ');
    throw new UsageError(`${JSON.stringify(name)} is no node, number or share for a canary; nodes here: ${known}`);
  }
  return { type: 'names', names: [...names] };
}

function noGroup(group: string): never {
  throw new UsageError(`there is no group ${group}`);
}
