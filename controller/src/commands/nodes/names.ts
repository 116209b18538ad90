import { compareNodes } from '../../../../protocol/names.ts';
import type { Handler } from '../context.ts';

/** The names that a shell completes. No node is asked. */
export const names: Handler<'names'> = async ({ store, membership, availableModules }, { of }) => {
  if (of === 'nodes') {
    const { members } = await membership.expected();
    return { command: 'names', names: members.map(({ node }) => node).toSorted(compareNodes) };
  }
  const pushed = (await store.heads()).map(({ module }) => module);
  return { command: 'names', names: [...new Set([...availableModules(), ...pushed])].toSorted() };
};
