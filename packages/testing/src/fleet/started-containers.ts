import type Dockerode from 'dockerode';
import type { StartedTestContainer } from 'testcontainers';

import { messageOf } from '../docker/available.ts';
import { engine } from '../docker/engine.ts';
import type { HardenedContainer } from '../docker/hardened-container.ts';

/** A container is ready within this time (milliseconds). */
const START_TIMEOUT_MS = 60_000;

/** The containers that a cluster has started, by name. */
export class StartedContainers {
  readonly #containers = new Map<string, StartedTestContainer>();

  /** Starts a container; resolves when it is ready. */
  async start(name: string, container: HardenedContainer): Promise<StartedTestContainer> {
    const starting = container.withStartupTimeout(START_TIMEOUT_MS).start();
    const started = await starting.catch((cause: unknown) => {
      throw new Error(`${name} did not start: ${messageOf(cause)}`, { cause });
    });
    this.#containers.set(name, started);
    return started;
  }

  /** @throws TypeError when there is no container with this name. */
  get(name: string): StartedTestContainer {
    const container = this.#containers.get(name);
    if (container === undefined) throw new TypeError(`the cluster has no container ${name}`);
    return container;
  }

  /** The engine's handle of a container. */
  async handle(name: string): Promise<Dockerode.Container> {
    return (await engine()).getContainer(this.get(name).getId());
  }

  /** The names of the containers that run, paused ones too. */
  async running(): Promise<string[]> {
    const ids = new Set((await (await engine()).listContainers()).map(({ Id }) => Id));
    return [...this.#containers].flatMap(([name, container]) => (ids.has(container.getId()) ? [name] : []));
  }

  /**
   * Has containers run in a network: starts those that have stopped, continues those that are paused, connects those that are
   * cut off. Returns the names of those that it started.
   */
  async resume(names: readonly string[], network: string): Promise<string[]> {
    const stopped: string[] = [];
    for (const name of names) {
      const { isRunning, isPaused, networks } = await this.#state(name);
      const { id: Container } = await this.handle(name);
      if (!networks.includes(network)) await (await engine()).getNetwork(network).connect({ Container });
      if (isPaused) await (await this.handle(name)).unpause();
      if (isRunning) continue;
      await (await this.handle(name)).start();
      stopped.push(name);
    }
    return stopped;
  }

  async #state(name: string) {
    const { State, NetworkSettings } = await (await this.handle(name)).inspect();
    const { Running, Restarting, Paused } = State;
    return { isRunning: Running || Restarting, isPaused: Paused, networks: Object.keys(NetworkSettings.Networks) };
  }

  /** The port of this machine under which a container's port is published; it changes when the container restarts. */
  async publishedPort(name: string, port: number): Promise<string | undefined> {
    const { NetworkSettings } = await (await this.handle(name)).inspect();
    return NetworkSettings.Ports[`${port}/tcp`]?.[0]?.HostPort;
  }
}
