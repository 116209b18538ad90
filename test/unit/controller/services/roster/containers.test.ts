import { PassThrough } from 'node:stream';

import type Docker from 'dockerode';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Containers } from '../../../../../controller/src/services/roster/containers.ts';

/** An engine with one container, which counts how often it is asked. */
class Engine {
  asked = 0;
  state = 'running';
  events: PassThrough | null = new PassThrough();

  listContainers(): Promise<Docker.ContainerInfo[]> {
    this.asked += 1;
    const container = { Id: 'f'.repeat(64), Names: ['/hotcast-node-1'], State: this.state, Created: 1_700_000_000 };
    return Promise.resolve([container as Docker.ContainerInfo]);
  }

  getEvents(): Promise<NodeJS.ReadableStream> {
    return this.events === null ? Promise.reject(new Error('403')) : Promise.resolve(this.events);
  }
}

async function following(engine: Engine): Promise<Containers> {
  const containers = new Containers(engine, ['hotcast.node=dino']);
  void containers.follow();
  await turn();
  return containers;
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

async function stateIn(containers: Containers): Promise<string | undefined> {
  const answer = await containers.list();
  return answer.status === 'containers' ? answer.containers[0]?.state : answer.status;
}

describe('what the roster knows of containers', () => {
  // It follows the engine for ever; what waits in a clock that is put away does not come.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  it('is asked of the engine once, and tells what a node is joined by', async () => {
    const engine = new Engine();
    const containers = await following(engine);
    await containers.list();
    expect(await containers.list()).toEqual({
      status: 'containers',
      containers: [{ id: 'ffffffffffff', name: 'hotcast-node-1', state: 'running', createdAt: 1_700_000_000_000 }],
    });
    expect(engine.asked).toBe(1);
  });

  it('is asked again after an event', async () => {
    const engine = new Engine();
    const containers = await following(engine);
    await containers.list();
    engine.state = 'exited';
    expect(await stateIn(containers)).toBe('running');
    engine.events?.write('{"Action":"die"}');
    await turn();
    expect(await stateIn(containers)).toBe('exited');
  });

  it('is not kept when an event came while the engine was asked', async () => {
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

  it('is asked each time when the events have ended, or may not be heard', async () => {
    const ended = new Engine();
    const heardBefore = await following(ended);
    await heardBefore.list();
    ended.events?.destroy();
    await turn();
    ended.state = 'paused';
    expect(await stateIn(heardBefore)).toBe('paused');

    const deaf = new Engine();
    deaf.events = null;
    const containers = await following(deaf);
    await containers.list();
    await containers.list();
    expect(deaf.asked).toBe(2);
  });

  it('is kept again when the events are back, and asked for after some time in any case', async () => {
    const engine = new Engine();
    const containers = await following(engine);
    engine.events?.destroy();
    await turn();
    engine.events = new PassThrough();
    await vi.advanceTimersByTimeAsync(1_000);
    await containers.list();
    await containers.list();
    expect(engine.asked).toBe(1);
    engine.state = 'exited';
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await stateIn(containers)).toBe('exited');
  });

  it('is unavailable while the engine does not answer, and not after', async () => {
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
