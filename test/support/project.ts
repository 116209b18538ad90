import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { NodesResult } from '../../controller/src/api/results.ts';
import { removeProject } from './docker.ts';
import { type Ended, ROOT, run } from './shell.ts';

/** The Compose file under a project name of its own, with a folder of modules outside of the tree. */
export class Project implements AsyncDisposable {
  readonly name: string;
  readonly #modules = mkdtempSync(join(tmpdir(), 'hotcast-test-'));
  readonly #env: Readonly<Record<string, string>>;

  /** @param env more variables for make and Compose. */
  constructor(name: string, env: Readonly<Record<string, string>> = {}) {
    this.name = name;
    this.#env = { HOTCAST_PROJECT: name, MODULES_DIR: this.#modules, COOKIE: 'quarry', HTTP_PORT: '0', ...env };
    chmodSync(this.#modules, 0o755);
  }

  write(module: string, source: string): void {
    writeFileSync(join(this.#modules, `${module}.ts`), source);
  }

  make(...words: string[]): Promise<Ended> {
    return run('make', words, this.#env);
  }

  hotcast(...words: string[]): Promise<Ended> {
    return run('setup/hotcast', words, this.#env);
  }

  strangersHotcast(...words: string[]): Promise<Ended> {
    return run('setup/hotcast', words, { ...this.#env, COOKIE: 'other' });
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
