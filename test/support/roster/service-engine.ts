import { PassThrough } from 'node:stream';

import type Docker from 'dockerode';

import type { Engine } from '../../../controller/src/services/roster/compose.ts';

/** What an engine says of a container. */
export function containerOf(id: string, name: string, state: string, address: string): Docker.ContainerInfo {
  // The engine keeps no address of a container that has ended.
  const networks = { hotcast_default: { IPAddress: state === 'running' ? address : '' } };
  const container = {
    Id: id,
    Names: [name],
    State: state,
    Created: 1_700_000_000,
    NetworkSettings: { Networks: networks },
  };
  return container as unknown as Docker.ContainerInfo;
}

/** An engine with the containers of a service. */
export class ServiceEngine implements Engine {
  readonly #events = new PassThrough();
  readonly #states = new Map<number, string>();

  async listContainers(): Promise<Docker.ContainerInfo[]> {
    return [...this.#states].map(([replica, state]) =>
      containerOf(String(replica).padStart(64, 'a'), `/hotcast-node-${replica}`, state, `172.18.0.${replica + 1}`),
    );
  }

  async getEvents(): Promise<NodeJS.ReadableStream> {
    return this.#events;
  }

  /** Runs so many replicas. */
  scale(replicas: number): void {
    while (this.#states.size < replicas) this.#set(this.#states.size + 1, 'running');
    while (this.#states.size > replicas) this.#set(this.#states.size, null);
  }

  /** Ends a replica, and starts it again. */
  kill(replica: number): void {
    this.#set(replica, 'exited');
    this.#set(replica, 'running');
  }

  #set(replica: number, state: string | null): void {
    if (state === null) this.#states.delete(replica);
    else this.#states.set(replica, state);
    this.#events.write('{}\n');
  }
}
