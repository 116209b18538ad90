import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { NodesResult } from '../../../controller/src/api/results.ts';
import { type ProcessOutput, ROOT, run } from '../shell.ts';
import { removeProject } from './cleanup.ts';

/** The name of this process's Compose project. It contains the process id, so that leftovers are found. */
export const TEST_PROJECT = `hotcast-test-${process.pid}`;

/** How long a line of a shell can take. */
const SHELL_TIMEOUT = '4m';

/** The Compose file under its own project name, with a modules folder outside of the repository. */
export class ComposeProject implements AsyncDisposable {
  readonly name: string;
  readonly #modules = mkdtempSync(join(tmpdir(), 'hotcast-test-'));
  #env: Readonly<Record<string, string>>;

  /** @param env more environment variables for make and Compose. */
  constructor(name: string, env: Readonly<Record<string, string>> = {}) {
    this.name = name;
    this.#env = {
      HOTCAST_PROJECT: name,
      MODULES_DIR: this.#modules,
      COOKIE: 'quarry',
      HTTP_PORT: '0',
      CONSOLE_PORT: '0',
      ...env,
    };
    chmodSync(this.#modules, 0o755);
  }

  writeModule(module: string, source: string): void {
    writeFileSync(join(this.#modules, `${module}.ts`), source);
  }

  /** The environment variables of its commands. */
  get env(): Readonly<Record<string, string>> {
    return this.#env;
  }

  /** Sets environment variables for the commands that follow. */
  set(env: Readonly<Record<string, string>>): void {
    this.#env = { ...this.#env, ...env };
  }

  /** Runs a line as a shell does in which the base images are chosen: `make …`, `docker compose …`. A loop in it ends. */
  shell(line: string): Promise<ProcessOutput> {
    return run('timeout', [SHELL_TIMEOUT, 'bash', '-c', line], { ...this.#env, BASH_ENV: 'setup/env.sh' });
  }

  /** Runs `make …`. */
  make(...args: string[]): Promise<ProcessOutput> {
    return run('make', args, this.#env);
  }

  /** Runs `hotcast …` in the controller's container. */
  hotcast(...args: string[]): Promise<ProcessOutput> {
    return run('setup/hotcast', args, this.#env);
  }

  /** Starts `hotcast …` as {@link hotcast} does, and does not wait for its end. */
  startHotcast(...args: string[]): ChildProcess {
    return spawn('setup/hotcast', args, { cwd: ROOT, env: { ...process.env, ...this.#env }, stdio: 'ignore' });
  }

  /** Runs `hotcast …` with a cookie that this project does not have. */
  hotcastWithOtherCookie(...args: string[]): Promise<ProcessOutput> {
    return run('setup/hotcast', args, { ...this.#env, COOKIE: 'other' });
  }

  async nodes(): Promise<NodesResult['nodes']> {
    const { stdout } = await this.hotcast('nodes', '--json');
    return (JSON.parse(stdout) as NodesResult).nodes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeProject(this.name);
    rmSync(this.#modules, { recursive: true, force: true });
    rmSync(join(ROOT, `.cache/built-${this.name}`), { force: true });
  }
}
