import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  holderOf,
  type Members,
  type Roster,
  type RosterMember,
} from '../../../controller/src/services/roster/roster.ts';
import { replicaName } from '../../../protocol/names.ts';

/** How long an engine has to report a change (milliseconds). */
const DEADLINE_MS = 30_000;

/** Nodes that an engine runs, and the roster that knows them. */
export interface RosterWorld extends AsyncDisposable {
  readonly roster: Roster;
  /** The name of the NATS server that the nodes connect to, where that counts. */
  readonly server?: string;
  /** Runs so many replicas of the service `node`: starts those that are missing, ends the last ones that are too many. */
  readonly scale: (replicas: number) => Promise<void>;
  /** Kills the container of a replica; whoever runs it starts it again. */
  readonly kill: (replica: number) => Promise<void>;
}

/** What every roster that asks an engine does. */
export function rosterContract(name: string, open: () => Promise<RosterWorld>): void {
  describe(`the roster of ${name}`, () => {
    let world: RosterWorld;
    beforeAll(async () => {
      world = await open();
    });
    afterAll(async () => {
      await world[Symbol.asyncDispose]();
    });

    const holder = (address: string) => {
      const { roster, server } = world;
      return holderOf(roster, { address, ...(server === undefined ? {} : { server }) });
    };
    const members = async (): Promise<Members> => {
      const state = await world.roster.membersNow();
      if (state.status === 'unavailable') throw new Error(state.detail);
      return state;
    };
    const running = async (): Promise<RosterMember[]> =>
      (await members()).members.filter(({ state }) => state === 'running');
    const nodes = async (): Promise<string[]> => (await running()).map(({ node }) => node).toSorted();
    const namesOf = (replicas: number): string[] =>
      Array.from({ length: replicas }, (_, index) => replicaName(index + 1)).toSorted();
    const eventually = (read: () => Promise<unknown>) => expect.poll(read, { timeout: DEADLINE_MS, interval: 50 });

    it('knows no member where none runs', async () => {
      await eventually(members).toEqual({ status: 'members', members: [], duplicates: [], unreachable: [] });
    });

    it('names each node by its replica, with the id of its container and its addresses', async () => {
      await world.scale(3);
      await eventually(nodes).toEqual(namesOf(3));
      for (const { id, addresses, createdAt } of await running()) {
        expect(id).toMatch(/^[0-9a-f]{12}$/);
        expect(addresses.length).toBeGreaterThan(0);
        for (const address of addresses) expect(address).toMatch(/^(?:\d{1,3}\.){3}\d{1,3}$/);
        expect(createdAt).toBeGreaterThan(1_600_000_000_000);
        expect(createdAt).toBeLessThan(Date.now() + 60_000);
      }
    });

    it('knows who has an address, and that nobody has another one', async () => {
      for (const { node, addresses } of await running()) {
        for (const address of addresses) {
          await eventually(() => holder(address)).toEqual({ status: 'member', node });
        }
      }
      await eventually(() => holder('203.0.113.7')).toEqual({ status: 'unknown' });
    });

    it('says after a moment what has changed, also without being asked for the newest', async () => {
      await world.scale(2);
      await eventually(async () => {
        const state = await world.roster.members();
        if (state.status === 'unavailable') return state;
        return state.members.filter(each => each.state === 'running').length;
      }).toBe(2);
      await world.scale(3);
      await eventually(nodes).toEqual(namesOf(3));
    });

    it('has a node under its name again when its container was killed', async () => {
      await world.kill(2);
      await eventually(nodes).toEqual(namesOf(3));
      const [again, ...others] = (await running()).filter(({ node }) => node === replicaName(2));
      expect(others).toEqual([]);
      const [address = ''] = again?.addresses ?? [];
      await eventually(() => holder(address)).toEqual({ status: 'member', node: replicaName(2) });
    });
  });
}
