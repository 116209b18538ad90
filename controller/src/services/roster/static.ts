import type { Roster, RosterMember } from './roster.ts';

/** Nodes that an operator has named: for engines that no roster can ask. Each should answer, under its name, wherever it runs. */
export function staticRoster(nodes: readonly string[]): Roster {
  const members = nodes.map((node): RosterMember => {
    return { id: '', name: node, node, state: 'running', createdAt: null, addresses: [], machine: null };
  });
  const state = { status: 'members', members, duplicates: [], unreachable: [] } as const;
  return { members: async () => state, membersNow: async () => state, [Symbol.dispose]: () => undefined };
}
