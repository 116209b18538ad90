import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './command.ts';
import { takeDown } from './take-down.ts';

/** Where a running Hotcast cluster is. */
export interface HotcastAddress {
  /** The controller's container, by id. */
  readonly controller: string;
  /** The proxy's port on 127.0.0.1. */
  readonly port: number;
  /** The folder on this machine that the controller compiles from. */
  readonly modules: string;
}

/** A Hotcast cluster of a Compose project of its own, removed with its volumes at the end. Its images must be there. */
export class HotcastFleet implements HotcastAddress, AsyncDisposable {
  readonly nodes: number;
  readonly modules: string;
  /** From the order to start until all nodes answered, network and volumes made too (milliseconds). */
  readonly startedIn: number;
  readonly controller: string;
  readonly port: number;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(
    { nodes, modules }: { nodes: number; modules: string },
    env: Readonly<Record<string, string>>,
    { startedIn, controller, port }: { startedIn: number; controller: string; port: number },
  ) {
    this.nodes = nodes;
    this.modules = modules;
    this.startedIn = startedIn;
    this.controller = controller;
    this.port = port;
    this.#env = env;
  }

  /**
   * Starts a cluster from nothing, as `make up` does: what the project's name had before is removed first, which is
   * not timed.
   *
   * @param options.modules the folder that modules are compiled from.
   */
  static async start(options: { project: string; nodes: number; modules: string }): Promise<HotcastFleet> {
    const { project, nodes, modules } = options;
    // A BEAM node logs no load either: thirty lines at once are a third of a commit where they share two processors.
    const env = { HOTCAST_PROJECT: project, HTTP_PORT: '0', MODULES_DIR: modules, LOG_LEVEL: 'warn' };
    await remove(env);
    try {
      const startedAt = performance.now();
      await run('docker', ['compose', 'up', '--detach', '--no-build', '--scale', `node=${nodes}`], env);
      await run('setup/hotcast', ['nodes', '--wait', String(nodes), '--timeout', '120'], env);
      const startedIn = performance.now() - startedAt;
      const controller = (await run('docker', ['compose', 'ps', '--quiet', 'controller'], env)).trim();
      const port = Number((await run('docker', ['compose', 'port', 'proxy', '8080'], env)).split(':').at(-1));
      return new HotcastFleet(options, env, { startedIn, controller, port });
    } catch (error) {
      await remove(env);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await remove(this.#env);
  }
}

async function remove(env: Readonly<Record<string, string>>): Promise<void> {
  await takeDown((...words) => run('docker', ['compose', ...words], env));
}

/** A module in the folder of a cluster, which is deleted at the end. */
export class ModuleFile implements Disposable {
  readonly #path: string;

  constructor({ modules }: HotcastAddress, module: string) {
    this.#path = join(modules, `${module}.ts`);
  }

  write(source: string): void {
    writeFileSync(this.#path, source);
  }

  [Symbol.dispose](): void {
    rmSync(this.#path, { force: true });
  }
}
