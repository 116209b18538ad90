import { PassThrough } from 'node:stream';

import type Docker from 'dockerode';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Containers } from '../../../../../controller/src/services/roster/containers.ts';

/** An engine with one container. It counts how often the list is read. */
class Engine {
  reads = 0;
  state = 'running';
  name = '/hotcast-node-1';
  events: PassThrough | null = new PassThrough();

  listContainers(): Promise<Docker.ContainerInfo[]> {
    this.reads += 1;
    const container = { Id: 'f'.repeat(64), Names: [this.name], State: this.state };
    return Promise.resolve([container as Docker.ContainerInfo]);
  }

  getEvents(): Promise<NodeJS.ReadableStream> {
    return this.events === null ? Promise.reject(new Error('403')) : Promise.resolve(this.events);
  }
}

async function following(engine: Engine): Promise<Containers> {
  const containers = new Containers(engine, ['hotcast.node=dino'], 'hotcast');
  void containers.follow();
  await turn();
  return containers;
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

async function stateIn(containers: Containers): Promise<string | undefined> {
  const answer = await containers.list();
  return answer.status === 'containers' ? answer.containers[0]?.state : answer.status;
}

describe('the list of containers', () => {
  it('says the name of each node, which follows from that of its container', async () => {
    const engine = new Engine();
    engine.name = '/hotcast-worker-2';
    const containers = new Containers(engine, ['hotcast.node=dino'], 'hotcast');
    expect(await containers.list()).toMatchObject({ containers: [{ name: 'hotcast-worker-2', node: 'worker-2' }] });
  });

  // Containers.follow() never ends. With a fake clock, its timers do not outlive the test.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  it('is read once, and has what identifies a node', async () => {
    const engine = new Engine();
    const containers = await following(engine);
    await containers.list();
    expect(await containers.list()).toEqual({
      status: 'containers',
      containers: [{ id: 'ffffffffffff', name: 'hotcast-node-1', node: 'fred', state: 'running' }],
    });
    expect(engine.reads).toBe(1);
  });

  it('is read again after an event', async () => {
    const engine = new Engine();
    const containers = await following(engine);
    await containers.list();
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
    const before = containers.list();
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
    await subscribed.list();
    ended.events?.destroy();
    await turn();
    ended.state = 'paused';
    expect(await stateIn(subscribed)).toBe('paused');

    const withoutEvents = new Engine();
    withoutEvents.events = null;
    const containers = await following(withoutEvents);
    await containers.list();
    await containers.list();
    expect(withoutEvents.reads).toBe(2);
  });

  it('is cached again when the events are back, and refreshed after some time in any case', async () => {
    const engine = new Engine();
    const containers = await following(engine);
    engine.events?.destroy();
    await turn();
    engine.events = new PassThrough();
    await vi.advanceTimersByTimeAsync(1_000);
    await containers.list();
    await containers.list();
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
    expect(await containers.list()).toEqual({
      status: 'unavailable',
      detail: "the roster can't ask the Docker engine (connect ENOENT /var/run/docker.sock)",
    });
    engine.listContainers = answers;
    expect(await stateIn(containers)).toBe('running');
  });
});
