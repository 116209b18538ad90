import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { ExternalPackages } from '../../../../node-image/src/packages/external-packages.ts';
import type { PackageSource } from '../../../../node-image/src/packages/fetch-packages.ts';
import { PackageFolder } from '../../../../node-image/src/packages/package-folder.ts';
import { Packages } from '../../../../node-image/src/packages/packages.ts';
import { ScopedResources } from '../../../../node-image/src/sandbox/scoped-resources.ts';
import type { Bundle } from '../../../../protocol/bundle.ts';
import type { Head } from '../../../../protocol/head.ts';
import type { ModuleLog } from './module-log.ts';

/** How long the end of a node waits for the callbacks of its versions (milliseconds). */
const STOP_TIMEOUT_MS = 5_000;

/** A revision to load; null removes the module. */
export interface Change {
  readonly module: string;
  readonly bundle: Bundle | null;
}

/** The part of a node that hosts modules, in this process. It takes what a controller would send. */
export class Node implements AsyncDisposable {
  readonly server: CodeServer;
  readonly #folder = mkdtempSync(join(tmpdir(), 'hotcast-packages-'));
  readonly #resources = new ScopedResources();
  readonly #packages: Packages;
  readonly #source: PackageSource;
  #sequence = 0;

  /**
   * @param modules the modules folder and its project: external packages are in the `node_modules` of the first, or of a folder above it.
   * @param source what modules use of packages.
   */
  constructor(
    { folder, root }: { readonly folder: string; readonly root: string },
    source: PackageSource,
    log: ModuleLog,
  ) {
    this.#source = source;
    const installed = [folder, dirname(folder)].find(each => existsSync(join(each, 'node_modules'))) ?? root;
    this.#packages = new Packages({
      folder: new PackageFolder(this.#folder),
      external: new ExternalPackages(installed),
      resources: this.#resources,
      log,
      onError: error => {
        if (!this.server.errors.countUncaught(error)) log.error({ err: error }, 'error in a package');
      },
    });
    this.server = new CodeServer(log, { logs: log, packages: this.#packages, resources: this.#resources });
  }

  /** Prepares revisions and commits them together, as a push does. @throws Error with the reason of the refusal. */
  async change(changes: readonly Change[]): Promise<void> {
    for (const { bundle } of changes) if (bundle !== null) await this.#prepare(bundle);
    this.#sequence += 1;
    const heads = changes.map(({ module, bundle }) => headOf(module, bundle?.revision ?? null, this.#sequence));
    const result = await this.server.suspensions.whenQuiet(heads, () => this.server.commit(heads));
    if (result.status === 'refused') throw refusal(changes, result);
    await this.server.untilEnded();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop(STOP_TIMEOUT_MS);
    this.#packages[Symbol.dispose]();
    this.#resources[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #prepare(bundle: Bundle): Promise<void> {
    const readiness = await this.#packages.prepare(bundle, this.#source);
    if (readiness.status === 'failed') throw refusal([{ module: bundle.module, bundle }], readiness);
    const result = this.server.prepare(bundle, readiness.set);
    if (result.status === 'refused') throw refusal([{ module: bundle.module, bundle }], result);
  }
}

function refusal(changes: readonly Change[], { reason, detail }: { reason: string; detail: string }): Error {
  const names = changes.map(({ module }) => module).join(' and ');
  return Object.assign(new Error(`the node refuses ${names}: ${detail} (${reason})`), { reason });
}

function headOf(module: string, revision: string | null, sequence: number): Head {
  return {
    module,
    revision,
    canary: null,
    force: false,
    makeRoom: false,
    manifest: null,
    revertOf: null,
    cause: null,
    keptOff: [],
    quarantine: false,
    repeats: false,
    sequence,
    stateSince: 0,
    push: `push ${sequence}`,
    author: 'test',
    at: Date.now(),
    note: 'push',
  };
}
