import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

import type { Bundle } from '../../../../protocol/bundle.ts';
import { shortRevision } from '../../../../protocol/revision.ts';
import { hotImportsIn, loadOrder } from '../../../../shared/load-order.ts';
import { CODE_CACHE_RUNTIME } from '../../../../shared/module-script.ts';
import { memoryOf } from '../helper-process.ts';
import { PreflightError } from './preflight-error.ts';
import type {
  ModuleUnderTest,
  PackagesUnderTest,
  PreflightLimits,
  PreflightReason,
  PreflightReply,
  PreflightRequest,
  Refusal,
} from './protocol.ts';

/** All modules have passed. `bundles` have their code caches. */
export interface Passed {
  readonly bundles: readonly Bundle[];
  readonly warnings: readonly string[];
}

/** How often the preflight's process is measured. */
const MEASURE_INTERVAL_MS = 20;

/** How a process ends that takes too much memory before it is measured: by V8 or by the kernel, which kill it. */
const OUT_OF_MEMORY: ReadonlySet<string | null> = new Set(['SIGABRT', 'SIGTRAP', 'SIGKILL']);

/** How long the packages of a few modules can take to load (milliseconds). They are read from the disk for the first time. */
const PACKAGES_TIMEOUT_MS = 30_000;

/** With less code, a code cache is larger than all the rest of a bundle, and a node compiles the code in 0.1 ms. */
const MIN_CACHED_LENGTH = 4_096;

const NO_PACKAGES: PackagesUnderTest = { imports: [], leftOut: [], externals: [] };

/** The packages of modules, by module. One that is not in it uses none. */
export type PackagesByModule = ReadonlyMap<string, PackagesUnderTest>;

/**
 * Evaluates modules in a process of the preflight, in the order of their imports, as a node does. An import of a module that was
 * not evaluated before is a stub.
 */
export async function runModules(
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
  let onExit = (_code: number | null, _signal: NodeJS.Signals | null): void => undefined;
  const refused = await new Promise<Refusal | null>(resolve => {
    timer = setInterval(() => {
      if (memoryOf(child) - memoryBefore > memoryMb) return resolve(tooMuch);
      // The time in which the process waited for a processor does not count.
      const waited = waitOf(child) - begun.waited;
      if (performance.now() - begun.at - waited > limit.ms) resolve(limit.refusal);
    }, MEASURE_INTERVAL_MS);
    onExit = (_, signal) => resolve(OUT_OF_MEMORY.has(signal) ? outOfMemory(tooMuch, signal) : crash(signal));
    child.on('exit', onExit);
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
    child.send({ token, modules } satisfies PreflightRequest, error => {
      if (error !== null) resolve(crash(null));
    });
  });
  clearInterval(timer);
  child.off('exit', onExit).removeAllListeners('message');
  const bundle = ordered[passed.length];
  if (refused !== null && bundle !== undefined) return new PreflightError(bundle, refused);
  return { bundles: bundles.map(each => passed.find(({ module }) => module === each.module) ?? each), warnings };
}

/** A node that runs the same V8 with the same flags loads the cache in a tenth of the time that compiling takes. */
function withCache(bundle: Bundle, base64: string | null): Bundle {
  if (base64 === null || bundle.code.length < MIN_CACHED_LENGTH) return bundle;
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
