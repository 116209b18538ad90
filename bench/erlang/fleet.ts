import { join } from 'node:path';

import type Docker from 'dockerode';

import { run } from '../command.ts';
import { type Compose, takeDown } from '../take-down.ts';
import { Driver } from './driver.ts';

export interface ErlangFleetOptions {
  readonly docker: Docker;
  /** The Compose project, which is this fleet's alone. */
  readonly project: string;
  readonly nodes: number;
  /** What image.sh prints. */
  readonly image: string;
}

/** BEAM nodes in containers, each connected to one BEAM that pushes to them. */
export class ErlangFleet implements AsyncDisposable {
  readonly driver: Driver;
  /** The nodes' containers, by id; the driver's is not among them. */
  readonly containers: readonly string[];
  /** From no container to all nodes connected and answering (milliseconds). */
  readonly startMs: number;
  /** OTP's release, such as `27`. */
  readonly release: string;
  readonly #compose: Compose;

  private constructor(
    driver: Driver,
    facts: Pick<ErlangFleet, 'containers' | 'startMs' | 'release'>,
    compose: Compose,
  ) {
    this.driver = driver;
    this.containers = facts.containers;
    this.startMs = facts.startMs;
    this.release = facts.release;
    this.#compose = compose;
  }

  /** @throws Error when a container does not start, or a node can't be reached within 30 s. */
  static async start({ docker, project, nodes, image }: ErlangFleetOptions): Promise<ErlangFleet> {
    const compose = composeOf(project, image);
    await takeDown(compose);
    const from = performance.now();
    let driver: Driver | undefined;
    try {
      await compose('up', '--detach', '--scale', `node=${nodes}`);
      const containers = await docker.listContainers({ filters: { label: [`com.docker.compose.project=${project}`] } });
      const of = (service: string) =>
        containers.filter(({ Labels }) => Labels['com.docker.compose.service'] === service);
      driver = new Driver(of('driver')[0]?.Id ?? `${project}-driver-1`);
      const addresses = of('node').flatMap(node =>
        Object.values(node.NetworkSettings.Networks).map(at => at.IPAddress),
      );
      const { nodes: connected, release } = await driver.order('connect', ...addresses);
      const startMs = performance.now() - from;
      if (connected !== nodes) throw new Error(`only ${String(connected)} of ${nodes} BEAM nodes are up`);
      const facts = { containers: of('node').map(({ Id }) => Id), startMs, release: String(release) };
      return new ErlangFleet(driver, facts, compose);
    } catch (error) {
      await driver?.[Symbol.asyncDispose]();
      await takeDown(compose);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.driver[Symbol.asyncDispose]();
    await takeDown(this.#compose);
  }
}

function composeOf(project: string, image: string): Compose {
  const file = join(import.meta.dirname, 'docker-compose.yml');
  return (...words) =>
    run('docker', ['compose', '--project-name', project, '--file', file, ...words], { ERLANG_IMAGE: image });
}
