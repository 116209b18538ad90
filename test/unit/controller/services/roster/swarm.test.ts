import { describe, expect, it } from 'vitest';

import { holderOf, type Members, type Roster } from '../../../../../controller/src/services/roster/roster.ts';
import { type Manager, swarmRoster } from '../../../../../controller/src/services/roster/swarm.ts';
import { rosterContract } from '../../../../support/roster/roster-contract.ts';

interface Task {
  ID: string;
  ServiceID: string;
  Slot: number;
  NodeID?: string;
  CreatedAt: string;
  DesiredState: string;
  Status: { State: string; ContainerStatus?: { ContainerID?: string } };
  NetworksAttachments: { Addresses: string[] }[];
}

/** The manager of a swarm of two machines, with one service. It keeps the tasks that have ended, as Swarm does. */
class FakeManager implements Manager {
  readonly tasks: Task[] = [];
  readonly machines = [
    { ID: 'n1', Description: { Hostname: 'machine-1' }, Status: { State: 'ready' } },
    { ID: 'n2', Description: { Hostname: 'machine-2' }, Status: { State: 'ready' } },
  ];
  service = 'hotcast_node';
  fault: Error | null = null;
  lists = 0;

  async listServices({ filters }: { filters: string }): Promise<unknown> {
    if (this.fault !== null) throw this.fault;
    expect(JSON.parse(filters)).toEqual({ label: ['hotcast.node=dino'] });
    return [{ ID: 's1', Spec: { Name: this.service } }];
  }

  async listTasks({ filters }: { filters: string }): Promise<unknown> {
    this.lists += 1;
    expect(JSON.parse(filters)).toEqual({ service: ['s1'] });
    return structuredClone(this.tasks);
  }

  async listNodes(): Promise<unknown> {
    return structuredClone(this.machines);
  }

  start(slot: number, machine = 'n1', state = 'running'): Task {
    const count = this.tasks.length + 1;
    const task: Task = {
      ID: `task${count}`.padEnd(25, 'x'),
      ServiceID: 's1',
      Slot: slot,
      NodeID: machine,
      CreatedAt: new Date(Date.now() + count).toISOString(),
      DesiredState: 'running',
      Status: { State: state, ContainerStatus: { ContainerID: String(count).padStart(64, 'f') } },
      NetworksAttachments: [{ Addresses: [`10.0.1.${count}/24`] }],
    };
    this.tasks.push(task);
    return task;
  }

  end(task: Task, state = 'shutdown'): void {
    task.DesiredState = 'shutdown';
    task.Status.State = state;
  }

  running(slot: number): Task[] {
    return this.tasks.filter(({ Slot, DesiredState }) => Slot === slot && DesiredState === 'running');
  }
}

const rosterOf = (manager: FakeManager): Roster => swarmRoster(manager, ['hotcast.node=dino'], 'hotcast');

rosterContract('Docker Swarm, with a manager in memory', async () => {
  const manager = new FakeManager();
  return {
    roster: rosterOf(manager),
    scale: async replicas => {
      for (let slot = 1; slot <= 10; slot += 1) {
        const tasks = manager.running(slot);
        if (slot <= replicas && tasks.length === 0) manager.start(slot);
        if (slot > replicas) for (const task of tasks) manager.end(task);
      }
    },
    kill: async slot => {
      for (const task of manager.running(slot)) manager.end(task, 'failed');
      manager.start(slot, 'n2');
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
});

async function membersOf(manager: FakeManager): Promise<Members> {
  const state = await rosterOf(manager).membersNow();
  if (state.status === 'unavailable') throw new Error(state.detail);
  return state;
}

describe('a roster of a swarm', () => {
  it('names the services of the stack, and the machine of each node', async () => {
    const manager = new FakeManager();
    manager.service = 'hotcast_worker';
    manager.start(2, 'n2');
    const { members } = await membersOf(manager);
    expect(members).toMatchObject([{ node: 'worker-2', machine: 'machine-2', state: 'running' }]);
    expect(members[0]?.name).toMatch(/^hotcast_worker\.2\.task1x+$/);
  });

  it('knows the address of a node that is not healthy yet, and expects it when it is', async () => {
    const manager = new FakeManager();
    const task = manager.start(1, 'n1', 'preparing');
    const roster = rosterOf(manager);
    expect(await membersOf(manager)).toMatchObject({ members: [{ node: 'fred', state: 'created' }] });
    expect(await holderOf(roster, { address: '10.0.1.1' })).toEqual({ status: 'member', node: 'fred' });
    task.Status.State = 'starting';
    expect(await membersOf(manager)).toMatchObject({ members: [{ node: 'fred', state: 'created' }] });
    task.Status.State = 'running';
    expect(await membersOf(manager)).toMatchObject({ members: [{ node: 'fred', state: 'running' }] });
  });

  it('names the machines that do not answer, and still expects what ran there', async () => {
    const manager = new FakeManager();
    manager.start(1, 'n2');
    Object.assign(manager.machines[1]?.Status ?? {}, { State: 'down' });
    expect(await membersOf(manager)).toMatchObject({
      members: [{ node: 'fred', state: 'running' }],
      duplicates: [],
      unreachable: ['machine-2'],
    });
  });

  it('sees a place that exists twice when a lost machine lives on: the new task is the member', async () => {
    const manager = new FakeManager();
    const lost = manager.start(1, 'n2');
    lost.DesiredState = 'shutdown';
    Object.assign(manager.machines[1]?.Status ?? {}, { State: 'down' });
    manager.start(1, 'n1');
    const { members, duplicates } = await membersOf(manager);
    expect(members).toMatchObject([{ node: 'fred', machine: 'machine-1' }]);
    expect(duplicates).toMatchObject([{ node: 'fred', machine: 'machine-2' }]);
    const roster = rosterOf(manager);
    expect(await holderOf(roster, { address: '10.0.1.1' })).toEqual({ status: 'duplicate', node: 'fred' });
    expect(await holderOf(roster, { address: '10.0.1.2' })).toEqual({ status: 'member', node: 'fred' });
  });

  it('sees one, too, when an update starts the new task first: the newer one is the member', async () => {
    const manager = new FakeManager();
    manager.start(1, 'n1');
    manager.start(1, 'n2');
    const { members, duplicates } = await membersOf(manager);
    expect(members).toMatchObject([{ machine: 'machine-2' }]);
    expect(duplicates).toMatchObject([{ machine: 'machine-1' }]);
  });

  it('takes a task that its machine ends for none, and has its place until the next one comes', async () => {
    const manager = new FakeManager();
    const ending = manager.start(1, 'n1');
    ending.DesiredState = 'shutdown';
    const next = manager.start(1, 'n1', 'ready');
    next.DesiredState = 'ready';
    expect(await membersOf(manager)).toMatchObject({ members: [{ state: 'running' }], duplicates: [] });
    manager.end(ending);
    Object.assign(next, { DesiredState: 'running', Status: { ...next.Status, State: 'running' } });
    const { members, duplicates } = await membersOf(manager);
    expect(members.map(({ id }) => id)).toEqual(['f'.repeat(12)]);
    expect(duplicates).toEqual([]);
  });

  it('is unavailable only while the manager does not answer', async () => {
    const manager = new FakeManager();
    manager.fault = new Error('The swarm does not have a leader');
    const roster = rosterOf(manager);
    expect(await roster.membersNow()).toEqual({
      status: 'unavailable',
      detail: "the roster can't ask the manager of the swarm (The swarm does not have a leader)",
    });
    manager.fault = null;
    expect(await roster.membersNow()).toMatchObject({ status: 'members' });
  });

  it('asks once for many that ask at the same time', async () => {
    const manager = new FakeManager();
    const roster = rosterOf(manager);
    await Promise.all(Array.from({ length: 30 }, () => roster.members()));
    expect(manager.lists).toBe(1);
  });

  it('is unavailable when what the manager says is of no known shape', async () => {
    const manager = new FakeManager();
    Object.assign(manager.start(1), { Status: null });
    expect(await rosterOf(manager).membersNow()).toMatchObject({ status: 'unavailable' });
  });
});
