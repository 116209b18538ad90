import * as v from 'valibot';

import { nodeNameOf } from '../../../../protocol/names.ts';
import type { Roster, RosterMember, RosterState } from './roster.ts';

/** Swarm has no events of tasks, so the roster asks again after this time (milliseconds). A manager takes 10 ms for 30 tasks. */
const KEPT_MS = 250;

const service = v.object({ ID: v.string(), Spec: v.object({ Name: v.string() }) });

const machine = v.object({
  ID: v.string(),
  Description: v.object({ Hostname: v.string() }),
  Status: v.object({ State: v.string() }),
});

const task = v.object({
  ID: v.string(),
  ServiceID: v.string(),
  /** Absent in a service that runs once on every machine. */
  Slot: v.optional(v.number()),
  NodeID: v.optional(v.string()),
  CreatedAt: v.string(),
  DesiredState: v.string(),
  Status: v.object({
    State: v.string(),
    ContainerStatus: v.optional(v.object({ ContainerID: v.optional(v.string()) })),
  }),
  NetworksAttachments: v.nullish(v.array(v.object({ Addresses: v.nullish(v.array(v.string())) })), []),
});

type Task = v.InferOutput<typeof task>;
type Machine = v.InferOutput<typeof machine>;

/** The states of a task whose container can run, as far as its machine has told. */
const ALIVE: ReadonlySet<string> = new Set(['starting', 'running']);

/** The states of a task that gets a container. It has its addresses already. */
const COMING: ReadonlySet<string> = new Set(['assigned', 'accepted', 'preparing', 'ready']);

/** What a manager of a swarm is asked. */
export interface Manager {
  listServices(options: { filters: string }): Promise<unknown>;
  listTasks(options: { filters: string }): Promise<unknown>;
  listNodes(): Promise<unknown>;
}

/**
 * The tasks of a swarm's services that have all the given labels (`key=value`), on all machines, as one manager says.
 *
 * @param project the name of the stack, with which the names of its services begin.
 */
export function swarmRoster(manager: Manager, labels: readonly string[], project: string): Roster {
  let kept: { readonly state: Promise<RosterState>; readonly at: number } | null = null;

  const read = async (): Promise<RosterState> => {
    try {
      const services = v.parse(
        v.array(service),
        await manager.listServices({ filters: JSON.stringify({ label: labels }) }),
      );
      if (services.length === 0) return { status: 'members', members: [], duplicates: [], unreachable: [] };
      const filters = JSON.stringify({ service: services.map(({ ID }) => ID) });
      const [tasks, machines] = await Promise.all([manager.listTasks({ filters }), manager.listNodes()]);
      const names = new Map(services.map(({ ID, Spec }) => [ID, Spec.Name]));
      return membersOf(v.parse(v.array(task), tasks), v.parse(v.array(machine), machines), names, project);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { status: 'unavailable', detail: `the roster can't ask the manager of the swarm (${reason})` };
    }
  };
  const membersNow = (): Promise<RosterState> => {
    kept = { state: read(), at: performance.now() };
    return kept.state;
  };
  return {
    membersNow,
    members: () => (kept !== null && performance.now() - kept.at < KEPT_MS ? kept.state : membersNow()),
    [Symbol.dispose]: () => undefined,
  };
}

/** @param names the names of the services, by their ids. */
function membersOf(
  tasks: readonly Task[],
  machines: readonly Machine[],
  names: ReadonlyMap<string, string>,
  project: string,
): RosterState {
  const machineOf = new Map(machines.map(each => [each.ID, each]));
  const isReachable = ({ NodeID = '' }: Task): boolean => machineOf.get(NodeID)?.Status.State === 'ready';
  const memberOf = (each: Task): RosterMember => {
    const { ID, ServiceID, Slot, NodeID = '', CreatedAt, Status, NetworksAttachments } = each;
    // Swarm gives a task this name, and tells it to the task (`{{.Task.Name}}`).
    const name = `${names.get(ServiceID) ?? ''}.${Slot ?? NodeID}.${ID}`;
    const addresses = (NetworksAttachments ?? []).flatMap(({ Addresses }) => Addresses ?? []);
    return {
      id: (Status.ContainerStatus?.ContainerID ?? '').slice(0, 12),
      name,
      node: nodeNameOf(name, project),
      // A task that gets a container answers when it has one, and one with a health check when that has succeeded; `created` is
      // Docker's word.
      state: Status.State === 'starting' || COMING.has(Status.State) ? 'created' : Status.State,
      createdAt: Date.parse(CreatedAt),
      addresses: addresses.map(address => address.replace(/\/\d+$/, '')),
      machine: machineOf.get(NodeID)?.Description.Hostname ?? null,
    };
  };
  const members: RosterMember[] = [];
  const duplicates: RosterMember[] = [];
  for (const ofSlot of slotsOf(tasks).values()) {
    const [member, ...others] = ofSlot.toSorted(
      (a, b) => rankOf(b) - rankOf(a) || b.CreatedAt.localeCompare(a.CreatedAt),
    );
    if (member !== undefined) members.push(memberOf(member));
    // One that its machine is ending is no duplicate, unless nothing is heard of the machine.
    duplicates.push(...others.filter(each => isWanted(each) || !isReachable(each)).map(memberOf));
  }
  const unreachable = machines.filter(({ Status }) => Status.State !== 'ready');
  return { status: 'members', members, duplicates, unreachable: unreachable.map(each => each.Description.Hostname) };
}

/** The tasks whose container can run or comes, by the place in their service. The others are Swarm's history. */
function slotsOf(tasks: readonly Task[]): Map<string, Task[]> {
  const slots = new Map<string, Task[]>();
  for (const each of tasks) {
    if (!ALIVE.has(each.Status.State) && !COMING.has(each.Status.State)) continue;
    const slot = `${each.ServiceID}.${each.Slot ?? each.NodeID}`;
    slots.set(slot, [...(slots.get(slot) ?? []), each]);
  }
  return slots;
}

/** Whether the swarm wants a task to run. */
const isWanted = ({ DesiredState }: Task): boolean => DesiredState === 'running';

/** Of the tasks of a slot, the one that is wanted and runs is the member; then one that comes; then one that ends. */
const rankOf = (each: Task): number => Number(isWanted(each)) * 2 + Number(ALIVE.has(each.Status.State));
