import type { ChildProcess } from 'node:child_process';

import type { Bundle } from '../../../../protocol/bundle.ts';
import { UnavailableError } from '../../../../protocol/errors.ts';
import { withTimeout } from '../../../../shared/timeout.ts';
import { endOf, type Helper, killFirst, memoryOf } from '../helper-process.ts';
import { independentGroups } from './groups.ts';
import { PreflightError } from './preflight-error.ts';
import type { PackagesUnderTest, PreflightLimits, PreloadRequest } from './protocol.ts';
import { type PackagesByModule, type Passed, runModules } from './run-modules.ts';

/** How long a run waits for its process. It has mostly started before; on a machine that starts 30 nodes, it takes seconds. */
const START_TIMEOUT_MS = 30_000;

/** The kernel kills a preflight before every other process: see {@link killFirst}. */
const KILL_SCORE = 1_000;

/** After a process has taken more memory, the next modules get another one: it keeps all packages that it has loaded. */
const MAX_MEMORY_MB = 250;

/** The packages of how many runs a standby loads. Two modules are often pushed in turns. */
const KEPT_RUNS = 2;

interface Standby {
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
  /** The files of packages that it loads before a run: their instances, by path. */
  readonly preloaded: ReadonlyMap<string, string>;
}

/**
 * Evaluates compiled modules in a process of their own, before they are sent anywhere, with limits on time and memory. A process serves
 * one run, or a part of a large one. The next one waits as a standby, which has loaded the packages of the last runs. Disposing
 * ends all processes.
 */
export class Preflight implements Disposable, Helper {
  readonly #spawn: () => ChildProcess;
  readonly #limits: PreflightLimits;
  readonly #maxMemoryMb: number;
  readonly #running = new Set<ChildProcess>();
  #standby: Standby | null = null;
  /** The packages of the last runs, the newest last. */
  #kept: readonly PackagesUnderTest[] = [];
  #isDisposed = false;
  #end: string | null = null;

  /**
   * @param spawn starts a process, see {@link preflightProcess}.
   * @param maxMemoryMb see {@link MAX_MEMORY_MB}.
   */
  constructor(spawn: () => ChildProcess, limits: PreflightLimits, maxMemoryMb = MAX_MEMORY_MB) {
    this.#spawn = spawn;
    this.#limits = limits;
    this.#maxMemoryMb = maxMemoryMb;
  }

  /** Starts the standby, so that the next run does not wait for it. */
  warm(): void {
    if (!this.#isDisposed && this.#standby?.child.connected !== true) this.#standby = this.#start();
  }

  async start(): Promise<void> {
    this.warm();
    if (this.#standby !== null) await withTimeout(START_TIMEOUT_MS, this.#standby.ready);
  }

  takeEnd(): string | null {
    const end = this.#end;
    this.#end = null;
    return end;
  }

  /**
   * Evaluates modules that are to be loaded together, in the order of their imports, as a node does. An import of a module
   * that was not evaluated before is a stub.
   *
   * @param packages what they use of packages.
   * @returns the error of the first module that is refused: a value, because the caller reports type errors before it.
   * @throws UnavailableError when the process does not start.
   */
  async run(bundles: readonly Bundle[], packages: PackagesByModule = new Map()): Promise<Passed | PreflightError> {
    const passed: Bundle[] = [];
    const warnings: string[] = [];
    let child: ChildProcess | null = null;
    const all = allOf(bundles.flatMap(({ module }) => packages.get(module) ?? []));
    try {
      for (const group of independentGroups(bundles)) {
        const used = allOf(group.flatMap(({ module }) => packages.get(module) ?? []));
        if (child !== null && (!child.connected || memoryOf(child) > this.#maxMemoryMb)) {
          child.kill('SIGKILL');
          child = null;
        }
        // It serves the groups that follow too.
        child ??= await this.#take(all);
        const result = await runModules(child, group, packages, this.#limits);
        this.#keep(used, memoryOf(child) > this.#maxMemoryMb);
        if (result instanceof PreflightError) return result;
        passed.push(...result.bundles);
        warnings.push(...result.warnings);
      }
    } finally {
      child?.kill('SIGKILL');
    }
    const byModule = new Map(passed.map(bundle => [bundle.module, bundle]));
    return { bundles: bundles.map(each => byModule.get(each.module) ?? each), warnings };
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const child of this.#running) child.kill('SIGKILL');
  }

  /** @param isLarge whether the process that has loaded them has become large. */
  #keep(used: PackagesUnderTest, isLarge: boolean): void {
    if (used.imports.length === 0) return;
    const others = isLarge ? [] : this.#kept.filter(each => !isSame(each, used));
    this.#kept = [...others, used].slice(-KEPT_RUNS);
  }

  /** A process that is ready: the standby, if it has loaded no package that has changed since. */
  async #take(used: PackagesUnderTest): Promise<ChildProcess> {
    if (this.#standby !== null && isOutdated(this.#standby, used)) {
      const { child } = this.#standby;
      this.#standby = null;
      child.kill('SIGKILL');
    }
    this.warm();
    const { child, ready } = this.#standby ?? this.#start();
    this.#standby = null;
    try {
      await withTimeout(START_TIMEOUT_MS, ready);
    } catch (cause) {
      child.kill('SIGKILL');
      throw new UnavailableError('the preflight did not start; nothing was sent', { cause });
    }
    return child;
  }

  #start(): Standby {
    const child = this.#spawn();
    this.#running.add(child);
    killFirst(child, KILL_SCORE);
    child.once('exit', (code, signal) => {
      this.#running.delete(child);
      if (this.#standby?.child !== child || this.#isDisposed) return;
      this.#standby = null;
      this.#end = `the standby of the preflight ${endOf(code, signal)}`;
    });
    const ready = new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`its process ended (${signal ?? code})`)));
    });
    // The standby can fail before a run waits for it.
    ready.catch(() => undefined);
    const preload = allOf(this.#kept);
    const { imports } = preload;
    if (imports.length > 0) child.send({ preload } satisfies PreloadRequest, () => undefined);
    return { child, ready, preloaded: new Map(imports.map(({ file, instance }) => [file, instance])) };
  }
}

function allOf(all: readonly PackagesUnderTest[]): PackagesUnderTest {
  return {
    imports: all.flatMap(({ imports }) => imports),
    leftOut: all.flatMap(({ leftOut }) => leftOut),
    externals: all.flatMap(({ externals }) => externals),
  };
}

/** Whether they load the same files. */
function isSame({ imports }: PackagesUnderTest, other: PackagesUnderTest): boolean {
  const files = new Set(imports.map(({ file }) => file));
  return (
    files.size === new Set(other.imports.map(({ file }) => file)).size &&
    other.imports.every(({ file }) => files.has(file))
  );
}

/** Whether a standby has loaded files of packages that have changed since. */
function isOutdated({ preloaded }: Standby, { imports }: PackagesUnderTest): boolean {
  return imports.some(({ file, instance }) => preloaded.has(file) && preloaded.get(file) !== instance);
}
