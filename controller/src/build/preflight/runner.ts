import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Bundle } from '../../../../protocol/bundle.ts';
import { HotcastError, UnavailableError } from '../../../../protocol/errors.ts';
import { shortRevision } from '../../../../protocol/revision.ts';
import { hotImportsIn, loadOrder } from '../../../../shared/load-order.ts';
import { CODE_CACHE_RUNTIME } from '../../../../shared/module-script.ts';
import { mapStack } from '../../../../shared/stack-trace.ts';
import { withTimeout } from '../../../../shared/timeout.ts';
import { endOf, type Helper, killFirst, memoryOf } from '../helper-process.ts';
import type {
  ModuleUnderTest,
  PackagesUnderTest,
  PreflightLimits,
  PreflightReason,
  PreflightReply,
  PreflightRequest,
  PreloadRequest,
  Refusal,
} from './protocol.ts';

/** The preflight refused a module. The message says why and where, in one line. */
export class PreflightError extends HotcastError {
  readonly code = 'preflight';
  readonly reason: PreflightReason;

  constructor(bundle: Bundle, { reason, detail, stack }: Refusal) {
    const at = stack === null ? null : positionIn(stack, bundle);
    const where = at === null ? '' : ` (${at})`;
    super(`${bundle.module} was refused before it was sent: ${detail}${where}; nothing was sent`);
    this.reason = reason;
  }
}

/** All modules have passed. `bundles` have their code caches. */
interface Passed {
  readonly bundles: readonly Bundle[];
  readonly warnings: readonly string[];
}

/** How often the preflight's process is measured. */
const MEASURE_INTERVAL_MS = 20;

/** How long a run waits for its process. It has mostly started before; on a machine that starts 30 nodes, it takes seconds. */
const START_TIMEOUT_MS = 30_000;

/** How a process ends that takes too much memory before it is measured: by V8 or by the kernel, which kill it. */
const OUT_OF_MEMORY: ReadonlySet<string | null> = new Set(['SIGABRT', 'SIGTRAP', 'SIGKILL']);

/** The kernel kills a preflight before every other process: see {@link killFirst}. */
const KILL_SCORE = 1_000;

/** How long packages can take to load, all together (milliseconds). They are read from the disk for the first time. */
const PACKAGES_TIMEOUT_MS = 30_000;

const NO_PACKAGES: PackagesUnderTest = { imports: [], leftOut: [], externals: [] };

interface Standby {
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
  /** The files of packages that it loads before a run: their instances, by path. */
  readonly preloaded: ReadonlyMap<string, string>;
}

/** The packages of modules, by module. One that is not in it uses none. */
type PackagesByModule = ReadonlyMap<string, PackagesUnderTest>;

/**
 * Evaluates compiled modules in a process of their own, before they are sent anywhere: a Node.js without permissions
 * (no files except those of packages, no network, processes, workers, addons), with limits on time and memory. A process serves
 * one run. The next one waits as a standby, which has loaded the packages of the last run. Disposing ends all processes.
 */
export class Preflight implements Disposable, Helper {
  readonly #script: string;
  readonly #readable: readonly string[];
  readonly #limits: PreflightLimits;
  readonly #running = new Set<ChildProcess>();
  #standby: Standby | null = null;
  #lastPackages = NO_PACKAGES;
  #isDisposed = false;
  #end: string | null = null;

  /**
   * @param script the program of the process: `child/main.ts`, bundled.
   * @param readable the folders that it can read: those that packages are in.
   */
  constructor(script: string, readable: readonly string[], limits: PreflightLimits) {
    this.#script = script;
    this.#readable = readable;
    this.#limits = limits;
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
    this.#lastPackages = allOf(packages);
    if (this.#standby !== null && isOutdated(this.#standby, this.#lastPackages)) {
      const { child } = this.#standby;
      this.#standby = null;
      child.kill('SIGKILL');
    }
    this.warm();
    const { child, ready } = this.#standby ?? this.#start();
    this.#standby = null;
    try {
      await withTimeout(START_TIMEOUT_MS, ready).catch((cause: unknown) => {
        throw new UnavailableError('the preflight did not start; nothing was sent', { cause });
      });
      return await runIn(child, bundles, packages, this.#limits);
    } finally {
      child.kill('SIGKILL');
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const child of this.#running) child.kill('SIGKILL');
  }

  #start(): Standby {
    // Node.js's own flags stay: V8 accepts a code cache only with the same flags.
    const readable = [this.#script, ...this.#readable.map(folder => join(folder, '*'))];
    const flags = [...process.execArgv, '--permission', ...readable.map(path => `--allow-fs-read=${path}`)];
    const child = spawn(process.execPath, [...flags, this.#script], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { NODE_ENV: 'production' },
    });
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
    const { imports } = this.#lastPackages;
    if (imports.length > 0) child.send({ preload: this.#lastPackages } satisfies PreloadRequest, () => undefined);
    return { child, ready, preloaded: new Map(imports.map(({ file, instance }) => [file, instance])) };
  }
}

async function runIn(
  child: ChildProcess,
  bundles: readonly Bundle[],
  packages: PackagesByModule,
  { timeoutMs, memoryMb }: PreflightLimits,
): Promise<Passed | PreflightError> {
  const token = randomUUID();
  const ordered = loadOrder(bundles, ({ module, code }) => ({ modules: [module], imports: hotImportsIn(code) })).flat();
  const warnings: string[] = [];
  const passed: Bundle[] = [];
  const tooMuch = refusal('memory', `it takes more than ${memoryMb} MB while it loads`);
  const tooLong = refusal('time', `it does not load within ${timeoutMs} ms`);
  const packagesTooLong = refusal('time', `its packages do not load within ${PACKAGES_TIMEOUT_MS} ms`);
  let memoryBefore = memoryOf(child);
  let limit = { ms: PACKAGES_TIMEOUT_MS, refusal: packagesTooLong };
  /** When the packages, or the current module, began, as far as this process knows. */
  let begun = { waited: waitOf(child), at: performance.now() };
  let timer: NodeJS.Timeout | undefined;
  const refused = await new Promise<Refusal | null>(resolve => {
    timer = setInterval(() => {
      if (memoryOf(child) - memoryBefore > memoryMb) return resolve(tooMuch);
      // The time in which the process waited for a processor does not count.
      const waited = waitOf(child) - begun.waited;
      if (performance.now() - begun.at - waited > limit.ms) resolve(limit.refusal);
    }, MEASURE_INTERVAL_MS);
    child.on('exit', (_, signal) => resolve(OUT_OF_MEMORY.has(signal) ? outOfMemory(tooMuch, signal) : crash(signal)));
    child.on('error', () => resolve(crash(null)));
    child.on('message', message => {
      // A message of a module does not have the token.
      if (!isReply(message) || message.token !== token) return;
      const { result } = message;
      if (result === null) {
        memoryBefore = memoryOf(child);
        limit = { ms: timeoutMs, refusal: tooLong };
        begun = { waited: waitOf(child), at: performance.now() };
        return;
      }
      if (result.status === 'refused') return resolve(result);
      const bundle = ordered[passed.length];
      if (bundle === undefined) return;
      warnings.push(...result.warnings.map(warning => `${bundle.module}: ${warning}`));
      passed.push(withCache({ ...bundle, memoryBytes: result.memoryBytes }, result.cache));
      begun = { waited: waitOf(child), at: performance.now() };
      if (passed.length === bundles.length) resolve(null);
    });
    const modules = ordered.map(bundle => moduleUnderTest(bundle, packages.get(bundle.module) ?? NO_PACKAGES));
    child.send({ token, modules } satisfies PreflightRequest);
  });
  clearInterval(timer);
  const bundle = ordered[passed.length];
  if (refused !== null && bundle !== undefined) return new PreflightError(bundle, refused);
  return { bundles: bundles.map(each => passed.find(({ module }) => module === each.module) ?? each), warnings };
}

function allOf(packages: PackagesByModule): PackagesUnderTest {
  const all = [...packages.values()];
  return {
    imports: all.flatMap(({ imports }) => imports),
    leftOut: all.flatMap(({ leftOut }) => leftOut),
    externals: all.flatMap(({ externals }) => externals),
  };
}

/** Whether a standby has loaded files of packages that have changed since. */
function isOutdated({ preloaded }: Standby, { imports }: PackagesUnderTest): boolean {
  return imports.some(({ file, instance }) => preloaded.has(file) && preloaded.get(file) !== instance);
}

/** A node that runs the same V8 with the same flags loads the cache in a tenth of the time that compiling takes. */
function withCache(bundle: Bundle, base64: string | null): Bundle {
  if (base64 === null) return bundle;
  // The child process is the same Node.js.
  return { ...bundle, cache: { runtime: CODE_CACHE_RUNTIME, data: Buffer.from(base64, 'base64') } };
}

function moduleUnderTest(
  { module, revision, code, exports }: Bundle,
  { imports, leftOut, externals }: PackagesUnderTest,
): ModuleUnderTest {
  const packages = { imports, leftOut, externals };
  return { module, script: `${module}@${shortRevision(revision)}`, code, exports, packages };
}

function refusal(reason: PreflightReason, detail: string): Refusal {
  return { status: 'refused', reason, detail, stack: null };
}

/** The kernel does not say whose limit was reached: that of the module, which is measured only now and then, or the container's. */
function outOfMemory(tooMuch: Refusal, signal: string | null): Refusal {
  if (signal !== 'SIGKILL') return tooMuch;
  return { ...tooMuch, detail: `${tooMuch.detail}, or the controller has no memory left (CONTROLLER_MEMORY)` };
}

function crash(signal: string | null): Refusal {
  return refusal('crash', `its process ended while it loaded (${signal ?? 'no signal'})`);
}

/** The topmost position of a stack that is in the module's source: `modules/demo.ts:4:9`. */
function positionIn(stack: string, bundle: Bundle): string | null {
  return /@[0-9a-f]{12} (\S+:\d+:\d+)/.exec(mapStack(stack, () => bundle))?.[1] ?? null;
}

/** How long a process has been ready to run and had no processor (milliseconds); 0 where there is no /proc. */
function waitOf({ pid }: ChildProcess): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

function isReply(message: unknown): message is PreflightReply {
  return typeof message === 'object' && message !== null && 'token' in message && 'result' in message;
}
