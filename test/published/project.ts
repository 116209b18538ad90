import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { expect } from 'vitest';

import { removeProject } from '../support/docker/cleanup.ts';
import { TEST_PROJECT } from '../support/docker/compose-project.ts';
import { type ProcessOutput, run } from '../support/shell.ts';
import { Registry } from './registry.ts';

/** Settings that this repository has, and a project does not. */
const OURS = ['BASH_ENV', 'COOKIE', 'HOTCAST_PROJECT', 'MODULES_DIR', 'NODE_PACKAGES', 'PROJECT_DIR'];

/** A project outside of this repository, which has nothing of it but the packed packages and the images. */
export class Project implements AsyncDisposable {
  /** The folder around the project's folder. */
  readonly around = mkdtempSync(join(tmpdir(), 'hotcast-yours-'));
  readonly name: string;
  /** The name of the Compose project. */
  readonly compose: string;
  readonly #registry = Registry.start();

  constructor(name: string) {
    this.name = name;
    this.compose = `${TEST_PROJECT}-${name}`;
    // The controller, which is another user, reads the project.
    chmodSync(this.around, 0o755);
  }

  get folder(): string {
    return join(this.around, this.name);
  }

  /** Makes the project a copy of a folder of `fixtures/`. */
  copy(fixture: string): void {
    cpSync(join(import.meta.dirname, 'fixtures', fixture), this.folder, { recursive: true });
  }

  /** Runs lines as a shell does, in the project's folder. @returns what they print; each line must succeed. */
  async sh(lines: string | readonly string[], folder = this.folder): Promise<string> {
    const { exitCode, stdout, stderr } = await this.try(lines, folder);
    expect(exitCode, `${[lines].flat().join('\n')}\n${stdout}${stderr}`).toBe(0);
    return stdout;
  }

  /** Runs lines as {@link sh} does, up to the first that fails. */
  async try(lines: string | readonly string[], folder = this.folder): Promise<ProcessOutput> {
    const script = ['set -euo pipefail', `unset ${OURS.join(' ')}`, 'cd "$0"', ...[lines].flat()].join('\n');
    return run('bash', ['-c', script, folder], {
      npm_config_registry: (await this.#registry).url,
      npm_config_yes: 'true',
      NO_COLOR: '1',
      HTTP_PORT: '0',
      CONSOLE_PORT: '0',
      COMPOSE_PROJECT_NAME: this.compose,
    });
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'utf8');
  }

  write(path: string, text: string): void {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  edit(path: string, change: (text: string) => string): void {
    const before = this.read(path);
    const after = change(before);
    expect(after, path).not.toBe(before);
    this.write(path, after);
  }

  /** What a call returns on each node. */
  async call(expression: string): Promise<unknown[]> {
    const { nodes } = JSON.parse(await this.sh(`npx hotcast call '${expression}' --json`)) as {
      readonly nodes: readonly { readonly json: string }[];
    };
    return nodes.map(({ json }) => JSON.parse(json) as unknown);
  }

  /** The address of a path on the proxy. */
  async url(path: string): Promise<string> {
    return `http://${(await this.sh('docker compose port proxy 8080')).trim()}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeProject(this.compose);
    await (await this.#registry)[Symbol.asyncDispose]();
    rmSync(this.around, { recursive: true, force: true });
  }
}
