import * as v from 'valibot';

import { FIRST_SERVICE, GROUP_RULE, isGroupName, serviceOf } from '../names.ts';

export const groupName = v.pipe(v.string(), v.check(isGroupName, `a group's name is ${GROUP_RULE}`));

/** The groups of nodes that a module goes to. */
export const groupsSchema = v.object({
  /** A group is the nodes of the service of its name. */
  names: v.pipe(v.array(groupName), v.minLength(1)),
  /** Whether the first group is one of them: the nodes of the service `node` are in it, whatever its name. */
  first: v.boolean(),
});

export type Groups = v.InferOutput<typeof groupsSchema>;

/** Whether a node is in one of these groups, as its name says, which NATS enforces. Null: in every group. */
export function isInGroups(groups: Groups | null, node: string): boolean {
  return groups === null || servicesOf(groups).includes(serviceOf(node));
}

/** The services whose nodes are in these groups. */
export function servicesOf({ names, first }: Groups): string[] {
  return first ? [...names, FIRST_SERVICE] : names;
}

/** Whether the same nodes are in them. */
export function areSameGroups(one: Groups | null, other: Groups | null): boolean {
  if (one === null || other === null) return one === other;
  return servicesOf(one).toSorted().join() === servicesOf(other).toSorted().join();
}

/** Whether every node of these groups is in the others too. */
export function isWithin(groups: Groups | null, others: Groups | null): boolean {
  if (others === null) return true;
  if (groups === null) return false;
  const services = servicesOf(others);
  return servicesOf(groups).every(service => services.includes(service));
}

/** For people: `web and worker`, or `every group`. */
export function groupsText(groups: Groups | null): string {
  return groups === null ? 'every group' : groups.names.join(' and ');
}
