import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from '../command.ts';
import type { Contender } from '../contender.ts';
import { Driver } from '../erlang/driver.ts';
import { BARE, TWICE } from '../results.ts';
import { type Compose, takeDown } from '../take-down.ts';

/** Containers with a NATS client each that only answers: what the network, NATS and its clients need in any case. */
export class BareFleet implements AsyncDisposable {
  readonly #driver: Driver;
  readonly #compose: Compose;
  readonly #folder: string;

  private constructor(driver: Driver, compose: Compose, folder: string) {
    this.#driver = driver;
    this.#compose = compose;
    this.#folder = folder;
  }

  /** @param project the Compose project, which is this fleet's alone. @throws Error when a node does not answer. */
  static async start(project: string, nodes: number): Promise<BareFleet> {
    const folder = mkdtempSync(join(tmpdir(), 'hotcast-bare-'));
    const program = join(folder, 'bare.mjs');
    const compose = composeOf(project, program);
    let driver: Driver | undefined;
    try {
      await run('npm', ['run', '--silent', 'bundle', '--', 'bench/bare/main.ts', `--outfile=${program}`]);
      await run('chmod', ['755', folder]);
      await takeDown(compose);
      await compose('up', '--detach', '--scale', `node=${nodes}`);
      driver = new Driver((await compose('ps', '--quiet', 'driver')).trim(), 'bare NATS client');
      await driver.order('expect', nodes);
      return new BareFleet(driver, compose, folder);
    } catch (error) {
      await driver?.[Symbol.asyncDispose]();
      await takeDown(compose);
      rmSync(folder, { recursive: true });
      throw error;
    }
  }

  /** One fan-out: published once, answered by every node. Timed in the client that asks. */
  once(): Contender {
    return this.#contender(BARE, 'once');
  }

  /** Two of them one after the other, the second with a small message: the least that a push of two phases needs. */
  twice(): Contender {
    return this.#contender(TWICE, 'twice');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver[Symbol.asyncDispose]();
    await takeDown(this.#compose);
    rmSync(this.#folder, { recursive: true });
  }

  #contender(name: string, order: string): Contender {
    return {
      name,
      push: async bytes => ({
        ms: Number((await this.#driver.order(order, bytes))['took']) / 1_000,
        skew: null,
        phases: {},
      }),
      // The driver is the fleet's.
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
}

function composeOf(project: string, program: string): Compose {
  const file = join(import.meta.dirname, 'docker-compose.yml');
  return (...words) =>
    run('docker', ['compose', '--project-name', project, '--file', file, ...words], { BARE_PROGRAM: program });
}
