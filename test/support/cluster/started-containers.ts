import type Dockerode from 'dockerode';
import type { StartedTestContainer } from 'testcontainers';

import { engine } from '../docker/engine.ts';
import type { HardenedContainer } from '../docker/hardened-container.ts';

/** A container is ready within this time (milliseconds). */
const START_TIMEOUT_MS = 60_000;

/** The containers that a cluster has started, by name. */
export class StartedContainers {
  readonly #containers = new Map<string, StartedTestContainer>();

  /** Starts a container; resolves when it is ready. */
  async start(name: string, container: HardenedContainer): Promise<StartedTestContainer> {
    const started = await container.withStartupTimeout(START_TIMEOUT_MS).start();
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

  /** The port of this machine under which a container's port is published; it changes when the container restarts. */
  async publishedPort(name: string, port: number): Promise<string | undefined> {
    const { NetworkSettings } = await (await this.handle(name)).inspect();
    return NetworkSettings.Ports[`${port}/tcp`]?.[0]?.HostPort;
  }
}
