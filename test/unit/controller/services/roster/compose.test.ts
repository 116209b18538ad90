import { PassThrough } from 'node:stream';

import type Docker from 'dockerode';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ComposeRoster } from '../../../../../controller/src/services/roster/compose.ts';
import { answerOf } from '../../../../../controller/src/services/roster/roster.ts';
import { rosterContract } from '../../../../support/roster/roster-contract.ts';
import { containerOf, ServiceEngine } from '../../../../support/roster/service-engine.ts';

/** An engine with one container. It counts how often the list is read. */
class Engine {
  reads = 0;
  state = 'running';
  name = '/hotcast-node-1';
  events: PassThrough | null = new PassThrough();

  listContainers(): Promise<Docker.ContainerInfo[]> {
    this.reads += 1;
    return Promise.resolve([containerOf('f'.repeat(64), this.name, this.state, '172.18.0.9')]);
  }

  getEvents(): Promise<NodeJS.ReadableStream> {
    return this.events === null ? Promise.reject(new Error('403')) : Promise.resolve(this.events);
  }
}

async function following(engine: Engine): Promise<ComposeRoster> {
  const containers = new ComposeRoster(engine, ['hotcast.node=dino'], 'hotcast');
  void containers.follow();
  await turn();
  return containers;
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

async function stateIn(containers: ComposeRoster): Promise<string | undefined> {
  const answer = await containers.members();
  return answer.status === 'members' ? answer.members[0]?.state : answer.status;
}

rosterContract('one engine, in memory', async () => {
  const engine = new ServiceEngine();
  const roster = new ComposeRoster(engine, ['hotcast.node=dino'], 'hotcast');
  void roster.follow();
  return {
    roster,
    scale: async replicas => engine.scale(replicas),
    kill: async replica => engine.kill(replica),
    [Symbol.asyncDispose]: async () => roster[Symbol.dispose](),
  };
});

describe('the list of containers', () => {
  it('says the name of each node, which follows from that of its container', async () => {
    const engine = new Engine();
    engine.name = '/hotcast-worker-2';
    const containers = new ComposeRoster(engine, ['hotcast.node=dino'], 'hotcast');
    expect(await containers.members()).toMatchObject({ members: [{ name: 'hotcast-worker-2', node: 'worker-2' }] });
  });

  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  it('is read once, and has what identifies a node', async () => {
    const engine = new Engine();
    const containers = await following(engine);
    await containers.members();
    expect(await containers.members()).toEqual({
      status: 'members',
      members: [
        {
          id: 'ffffffffffff',
          name: 'hotcast-node-1',
          node: 'fred',
          state: 'running',
          createdAt: 1_700_000_000_000,
          addresses: ['172.18.0.9'],
          machine: null,
        },
      ],
      duplicates: [],
      unreachable: [],
    });
    expect(answerOf(await containers.members())).toEqual({
      status: 'containers',
      containers: [
        {
          id: 'ffffffffffff',
          name: 'hotcast-node-1',
          node: 'fred',
          group: 'node',
          state: 'running',
          createdAt: 1_700_000_000_000,
        },
      ],
    });
    expect(engine.reads).toBe(1);
  });

  it('is read again after an event', async () => {
    const engine = new Engine();
    const containers = await following(engine);
    await containers.members();
    engine.state = 'exited';
    expect(await stateIn(containers)).toBe('running');
    engine.events?.write('{"Action":"die"}');
    await turn();
    expect(await stateIn(containers)).toBe('exited');
  });

  it('is not cached when an event came while it was read', async () => {
    const engine = new Engine();
    const containers = await following(engine);
    const answers = engine.listContainers.bind(engine);
    let answer = (): void => undefined;
    engine.listContainers = async () => {
      await new Promise<void>(resolve => (answer = resolve));
      return answers();
    };
    const before = containers.members();
    engine.events?.write('{"Action":"die"}');
    await turn();
    answer();
    await before;
    engine.listContainers = answers;
    engine.state = 'exited';
    expect(await stateIn(containers)).toBe('exited');
  });

  it('is read each time when the events have ended, or are not available', async () => {
    const ended = new Engine();
    const subscribed = await following(ended);
    await subscribed.members();
    ended.events?.destroy();
    await turn();
    ended.state = 'paused';
    expect(await stateIn(subscribed)).toBe('paused');

    const withoutEvents = new Engine();
    withoutEvents.events = null;
    const containers = await following(withoutEvents);
    await containers.members();
    await containers.members();
    expect(withoutEvents.reads).toBe(2);
  });

  it('is cached again when the events are back, and refreshed after some time in any case', async () => {
    const engine = new Engine();
    const containers = await following(engine);
    engine.events?.destroy();
    await turn();
    engine.events = new PassThrough();
    await vi.advanceTimersByTimeAsync(1_000);
    await containers.members();
    await containers.members();
    expect(engine.reads).toBe(1);
    engine.state = 'exited';
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await stateIn(containers)).toBe('exited');
  });

  it('is unavailable only while the engine does not answer', async () => {
    const engine = new Engine();
    const containers = await following(engine);
    const answers = engine.listContainers.bind(engine);
    engine.listContainers = () => Promise.reject(new Error('connect ENOENT /var/run/docker.sock'));
    expect(await containers.members()).toEqual({
      status: 'unavailable',
      detail: "the roster can't ask the Docker engine (connect ENOENT /var/run/docker.sock)",
    });
    engine.listContainers = answers;
    expect(await stateIn(containers)).toBe('running');
  });
});
