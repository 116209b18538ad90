import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

import type { Bundle } from '../../../../protocol/bundle.ts';
import { HotcastError, UnavailableError } from '../../../../protocol/errors.ts';
import { shortRevision } from '../../../../protocol/revision.ts';
import { mapStack } from '../../../../shared/stack-trace.ts';
import type { CodeCache } from './code-cache.ts';
import type { Answer, Candidate, PreflightLimits, PreflightReason, Question, SentCache, Verdict } from './protocol.ts';

/** A module would not load, or must not be loaded. One line says why and where. */
export class PreflightError extends HotcastError {
  readonly code = 'preflight';
  readonly reason: PreflightReason;

  constructor({ module, reason, detail, at }: PreflightRefusal) {
    super(`${module} was refused before it was sent: ${detail}${at === null ? '' : ` (${at})`}; nothing was sent`);
    this.reason = reason;
  }
}

export interface PreflightRefusal {
  readonly status: 'refused';
  readonly module: string;
  readonly reason: PreflightReason;
  readonly detail: string;
  /** Where in the module's source: `modules/demo.ts:4:9`. */
  readonly at: string | null;
}

/** `caches`: what V8 made of each module's code, in their order; null where it did not come to that. */
export type PreflightOutcome =
  | {
      readonly status: 'passed';
      readonly warnings: readonly string[];
      readonly caches: readonly (CodeCache | null)[];
    }
  | PreflightRefusal;

/** How often the memory of a preflight is looked at (milliseconds). */
const MEMORY_STEP = 20;

/** A process gets this long to start (milliseconds). */
const STARTING = 10_000;

/** The unit of /proc's figures (bytes). */
const PAGE = 4_096;

interface Standby {
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
}

type Finding = Omit<Verdict & { status: 'refused' }, 'status'>;

/**
 * Evaluates compiled modules in a process of their own, before they are sent anywhere: a Node.js without permissions
 * (no files, network, processes, workers, addons), with limits on time and memory. It is used once; one more waits.
 */
export class Preflight {
  readonly #script: string;
  readonly #limits: PreflightLimits;
  #standby: Standby | null = null;

  /** `script` is what the process runs: `preflight/main.ts`, bundled. */
  constructor(script: string, limits: PreflightLimits) {
    this.#script = script;
    this.#limits = limits;
  }

  /** Has a process waiting, so that the next preflight does not wait for its start. */
  warm(): void {
    if (this.#standby?.child.connected !== true) this.#standby = this.#start();
  }

  /**
   * Judges modules that are to be loaded together, in their order; the first that is refused is named.
   *
   * @throws UnavailableError when the process does not start.
   */
  async judge(bundles: readonly Bundle[]): Promise<PreflightOutcome> {
    this.warm();
    const { child, ready } = this.#standby ?? this.#start();
    this.#standby = null;
    try {
      await ready;
      return await judgeIn(child, bundles, this.#limits);
    } finally {
      child.kill('SIGKILL');
    }
  }

  #start(): Standby {
    // Beside its own: V8 takes a code cache only where its flags are the same.
    const flags = [...process.execArgv, '--permission', `--allow-fs-read=${this.#script}`];
    const child = spawn(process.execPath, [...flags, this.#script], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { NODE_ENV: 'production' },
    });
    const ready = once(child, 'message', { signal: AbortSignal.timeout(STARTING) }).catch((cause: unknown) => {
      throw new UnavailableError('the preflight did not start; nothing was sent', { cause });
    });
    ready.catch(() => undefined); // Nobody may be waiting yet.
    return { child, ready };
  }
}

async function judgeIn(
  child: ChildProcess,
  bundles: readonly Bundle[],
  { timeoutMs, memory }: PreflightLimits,
): Promise<PreflightOutcome> {
  const token = randomUUID();
  const warnings: string[] = [];
  const caches: (CodeCache | null)[] = [];
  const tooMuch: Finding = { reason: 'memory', detail: `it takes more than ${memory} MB while it loads`, stack: null };
  const tooLong: Finding = { reason: 'time', detail: `it does not load within ${timeoutMs} ms`, stack: null };
  const before = memoryOf(child);
  let meter: NodeJS.Timeout | undefined;
  let clock: NodeJS.Timeout | undefined;
  const finding = await new Promise<Finding | null>(resolve => {
    clock = setTimeout(resolve, timeoutMs, tooLong);
    meter = setInterval(() => memoryOf(child) - before > memory && resolve(tooMuch), MEMORY_STEP);
    child.on('exit', (_, signal) => resolve(signal === 'SIGABRT' || signal === 'SIGTRAP' ? tooMuch : crash(signal)));
    child.on('error', () => resolve(crash(null)));
    child.on('message', message => {
      // Whatever else a module may send has no token.
      if (!isAnswer(message) || message.token !== token) return;
      const { verdict } = message;
      if (verdict.status === 'refused') return resolve(verdict);
      warnings.push(...verdict.warnings.map(warning => `${bundles[caches.length]?.module ?? ''}: ${warning}`));
      caches.push(received(verdict.cache));
      if (caches.length === bundles.length) resolve(null);
    });
    child.send({ token, candidates: bundles.map(candidateOf) } satisfies Question);
  });
  clearTimeout(clock);
  clearInterval(meter);
  const bundle = bundles[caches.length];
  if (finding === null || bundle === undefined) return { status: 'passed', warnings, caches };
  const { reason, detail, stack } = finding;
  return {
    status: 'refused',
    module: bundle.module,
    reason,
    detail,
    at: stack === null ? null : positionIn(stack, bundle),
  };
}

function received(cache: SentCache | null): CodeCache | null {
  return cache === null ? null : { runtime: cache.runtime, data: Buffer.from(cache.base64, 'base64') };
}

function candidateOf({ module, revision, code, exports }: Bundle): Candidate {
  return { script: `${module}@${shortRevision(revision)}`, code, exports };
}

function crash(signal: string | null): Finding {
  return { reason: 'crash', detail: `its process ended while it loaded (${signal ?? 'no signal'})`, stack: null };
}

/** The topmost position of a stack that is in the module's source: `modules/demo.ts:4:9`. */
function positionIn(stack: string, bundle: Bundle): string | null {
  return /@[0-9a-f]{12} (\S+:\d+:\d+)/.exec(mapStack(stack, () => bundle))?.[1] ?? null;
}

/** The resident memory of a process in MB; 0 where the system does not tell. */
function memoryOf({ pid }: ChildProcess): number {
  try {
    return (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE) / 1024 / 1024;
  } catch {
    return 0;
  }
}

function isAnswer(message: unknown): message is Answer {
  return typeof message === 'object' && message !== null && 'token' in message && 'verdict' in message;
}
