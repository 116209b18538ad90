import { compareNodes } from '../../../../protocol/names.ts';
import type { Handler } from '../context.ts';
import { groupNames, groupsIn } from '../placement.ts';

/** The names that a shell completes. No node is asked. */
export const names: Handler<'names'> = async (context, { of }) => {
  const { store, membership, availableModules } = context;
  if (of !== 'modules') {
    const nodes = (await membership.expected()).members.map(({ node }) => node).toSorted(compareNodes);
    return { command: 'names', names: of === 'nodes' ? nodes : groupsIn(nodes, await groupNames(context)) };
  }
  const pushed = (await store.heads()).map(({ module }) => module);
  return { command: 'names', names: [...new Set([...availableModules(), ...pushed])].toSorted() };
};
