import { UnavailableError, UsageError } from '../../../protocol/errors.ts';
import { groupsOf, type Head } from '../../../protocol/head.ts';
import type { NodeDescription } from '../../../protocol/messages.ts';
import { compareNodes, FIRST_SERVICE, serviceOf } from '../../../protocol/names.ts';
import { areSameGroups, type Groups, groupsText, isInGroups, isWithin } from '../../../protocol/placement/groups.ts';
import type { HotcastConfig } from '../build/language/hotcast-config.ts';
import { VersionError } from '../rollout/versions.ts';
import type { CommandContext } from './context.ts';

/** A module that is to be pushed, where to, and its last head. */
export interface Placed {
  readonly module: string;
  readonly groups: Groups | null;
  /** The modules that it imports as `hot:<module>`. */
  readonly imports: readonly string[];
  readonly last: Head | null;
}

/** The nodes of a push, by what they have to do for it. */
export interface PushNodes {
  /** Those in the groups of its modules. */
  readonly in: ReadonlySet<string>;
  /** Those that unload modules, because these leave their groups. */
  readonly leaving: ReadonlySet<string>;
}

/**
 * Checks that modules can go where the configuration has them go, and says which nodes have to do something for it.
 *
 * @param names the nodes that there are, without those that are left out.
 * @param heads the last heads of all modules.
 * @throws UsageError when a module would be on a node without a module that it imports.
 * @throws UnavailableError when no node of its groups is running.
 * @throws VersionError when nodes are present that do not know groups, and would load what is not for them.
 */
export function placeModules(
  modules: readonly Placed[],
  names: ReadonlySet<string>,
  heads: readonly Head[],
  present: readonly NodeDescription[],
): PushNodes {
  for (const { module, groups } of modules) {
    if ([...names].some(node => isInGroups(groups, node))) continue;
    throw new UnavailableError(
      `${module} goes to ${groupsText(groups)}, of which no node is running; nothing was sent`,
    );
  }
  checkImports(modules, heads);
  const unaware = present.filter(
    ({ node, group }) =>
      group === undefined && names.has(node) && modules.some(({ groups }) => !isInGroups(groups, node)),
  );
  if (unaware.length > 0) {
    const list = unaware.map(({ node }) => node).toSorted(compareNodes);
    throw new VersionError(
      `nothing was sent: ${list.join(', ')} of an earlier release would load modules of other groups: replace them`,
    );
  }
  const inGroups = [...names].filter(node => modules.some(({ groups }) => isInGroups(groups, node)));
  const leaving = [...names].filter(node =>
    modules.some(({ groups, last }) => last !== null && leaves(node, groupsOf(last), groups)),
  );
  return { in: new Set(inGroups), leaving: new Set(leaving) };
}

function leaves(node: string, from: Groups | null, to: Groups | null): boolean {
  return isInGroups(from, node) && !isInGroups(to, node);
}

/** @throws UsageError when a node would have a module without one that it imports. */
function checkImports(modules: readonly Placed[], heads: readonly Head[]): void {
  const pushed = new Set(modules.map(({ module }) => module));
  const others = heads.flatMap((head): Placed[] => {
    if (pushed.has(head.module) || head.revision === null) return [];
    const imports = Object.keys(head.manifest?.imports ?? {});
    return [{ module: head.module, groups: groupsOf(head), imports, last: head }];
  });
  const all = [...modules, ...others];
  const byName = new Map(all.map(each => [each.module, each]));
  for (const { module, groups, imports } of all) {
    for (const name of imports) {
      const imported = byName.get(name);
      if (imported === undefined || isWithin(groups, imported.groups)) continue;
      if (!pushed.has(module) && !pushed.has(name)) continue;
      const where = `${module} is on ${groupsText(groups)}, and imports hot:${name}, which is on ${groupsText(imported.groups)} only`;
      throw new UsageError(`${where}: put ${name} into the same groups; nothing was sent`);
    }
  }
}

/**
 * The groups of the modules of a canary, null for every one. They are the same for all of them, and stay as they are: a node runs the
 * canary or what it ran before.
 *
 * @throws UsageError when they are not.
 */
export function canaryGroups(modules: readonly Placed[]): Groups | null {
  const [first] = modules;
  const groups = first?.groups ?? null;
  for (const { module, groups: own, last } of modules) {
    if (!areSameGroups(own, groups)) {
      const where = `${first?.module} is on ${groupsText(groups)}, ${module} on ${groupsText(own)}`;
      throw new UsageError(`the modules of a canary have to be in the same groups: ${where}; nothing was sent`);
    }
    if (last === null || last.revision === null || areSameGroups(own, groupsOf(last))) continue;
    const move = `${module} moves from ${groupsText(groupsOf(last))} to ${groupsText(own)}`;
    throw new UsageError(`${move}: push it without a canary; nothing was sent`);
  }
  return groups;
}

/**
 * A group by its name.
 *
 * @param configured the names of the groups in hotcast.config.ts, the first one first.
 * @param nodes the nodes that there are: without a configuration, their services are the groups.
 * @throws UsageError when there is no such group.
 */
export function groupNamed(name: string, configured: readonly string[], nodes: Iterable<string>): Groups {
  const known = groupsIn(nodes, configured);
  if (!known.includes(name)) {
    throw new UsageError(`there is no group ${JSON.stringify(name)}; groups here: ${known.join(', ')}`);
  }
  return { names: [name], first: configured[0] === name };
}

/** The names of the groups that there are: those of the configuration, and those of nodes. */
export function groupsIn(nodes: Iterable<string>, configured: readonly string[]): string[] {
  return [...new Set([...configured, ...[...nodes].map(node => groupOfNode(node, configured))])];
}

/** The group that a node is in, which its name says, and NATS enforces. @param configured see {@link groupNamed}. */
export function groupOfNode(node: string, configured: readonly string[]): string {
  const service = serviceOf(node);
  return service === FIRST_SERVICE && !configured.includes(service) ? (configured[0] ?? service) : service;
}

/** The names of the groups in hotcast.config.ts; none when it can't be read, which a push says. */
export async function groupNames({ groups }: Pick<CommandContext, 'groups'>): Promise<readonly string[]> {
  try {
    return [...(await groups()).keys()];
  } catch (error) {
    if (error instanceof UsageError) return [];
    throw error;
  }
}

/** A sentence about modules of groups that have no source, as those of which a name was mistyped: what is meant goes to every node. */
export function unknownModules(groups: HotcastConfig['groups'], available: readonly string[]): string[] {
  return [...groups].flatMap(([name, modules]) => {
    const unknown = modules.filter(module => !available.includes(module));
    return unknown.length === 0
      ? []
      : [`hotcast.config.ts has in the group ${name} what has no source: ${unknown.join(', ')}`];
  });
}

/** A sentence about each node whose configuration names another group than the one that it is in. */
export function groupWarnings(nodes: readonly NodeDescription[], configured: readonly string[]): string[] {
  return nodes.flatMap(({ node, group = '' }) => {
    const own = groupOfNode(node, configured);
    if (group === '' || group === own) return [];
    return [
      `${node} has HOTCAST_GROUP=${group}, and is in the group ${own}: a group is the nodes of the service of its name`,
    ];
  });
}
