import { AsyncLocalStorage } from 'node:async_hooks';
import { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync, writeFileSync } from 'node:fs';

import { UnavailableError } from '../../../protocol/errors.ts';
import { orNullAfter } from '../../../shared/timeout.ts';

/** How long the end of a process can follow the end of its pipes (milliseconds). */
const EXIT_TIMEOUT_MS = 1_000;

/** The unit of the figures in /proc. */
const PAGE_BYTES = 4_096;

/** Above the controller, and below a preflight: see {@link killFirst}. */
const KILL_SCORE = 500;

/** Whose work runs: a library that starts a process in it starts it for this helper. */
const working = new AsyncLocalStorage<HelperProcess>();

subscribe('child_process', message => {
  if (typeof message !== 'object' || message === null || !('process' in message)) return;
  if (message.process instanceof ChildProcess) working.getStore()?.watch(message.process);
});

/** A process that builds need. */
export interface Helper {
  /** Starts it if it does not run. Rejects when that fails. */
  readonly start: () => Promise<void>;
  /** How it has ended by itself since this was asked last, in a line; null: it has not. */
  readonly takeEnd: () => string | null;
}

/**
 * The process of a library that starts it by itself and does not show it: esbuild's service, TypeScript's checker. If it ends,
 * the work that needs it fails at once and says how it ended.
 */
export class HelperProcess {
  readonly #name: string;
  readonly #onEnd: () => void;
  readonly #rejects = new Set<(error: UnavailableError) => void>();
  #child: ChildProcess | null = null;
  #end: string | null = null;

  /** @param onEnd called when the process has ended by itself, so that the library can start another one. */
  constructor(name: string, onEnd: () => void) {
    this.#name = name;
    this.#onEnd = onEnd;
  }

  /**
   * Does work that needs the process, or starts it.
   *
   * @throws UnavailableError when the process ends during the work; otherwise what the work rejects with.
   */
  async use<T>(work: () => Promise<T>): Promise<T> {
    let reject = (_error: UnavailableError): void => undefined;
    const ended = new Promise<never>((_, rejectEnded) => (reject = rejectEnded));
    this.#rejects.add(reject);
    try {
      return await Promise.race([working.run(this, work), ended]);
    } catch (error) {
      if (this.#child === null || !hasClosedPipes(this.#child)) throw error;
      // The library notices the end before Node.js reports it.
      const end = ended.catch((reason: unknown) => reason);
      throw (await orNullAfter(EXIT_TIMEOUT_MS, end)) ?? error;
    } finally {
      this.#rejects.delete(reject);
    }
  }

  /** See {@link Helper}. */
  takeEnd(): string | null {
    const end = this.#end;
    this.#end = null;
    return end;
  }

  /** The resident memory of the process; 0 while it does not run. */
  get memoryMb(): number {
    return this.#child === null ? 0 : memoryOf(this.#child);
  }

  /** Ends the process, which is not reported. */
  kill(): void {
    const child = this.#child;
    this.#child = null;
    child?.kill('SIGKILL');
  }

  /** Ends the process and the work that waits for it, which fails. */
  stop(): void {
    this.kill();
    this.#fail(new UnavailableError(`${this.#name} was stopped; nothing was sent`));
  }

  /** Takes a process that the library has just started. */
  watch(child: ChildProcess): void {
    this.#child = child;
    child.once('spawn', () => killFirst(child, KILL_SCORE));
    child.once('error', error => this.#ended(child, `could not be started (${error.message})`));
    child.once('exit', (code, signal) => this.#ended(child, endOf(code, signal)));
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#end = `${this.#name} ${how}`;
    this.#onEnd();
    this.#fail(new UnavailableError(`${this.#end}; nothing was sent (push again)`));
  }

  #fail(error: UnavailableError): void {
    for (const reject of this.#rejects) reject(error);
  }
}

function hasClosedPipes({ stdin, stdout }: ChildProcess): boolean {
  return stdin?.writable === false || stdout?.readableEnded === true;
}

/** How a process ended: `was killed (SIGKILL), most likely for memory`. */
export function endOf(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === 'SIGKILL') return 'was killed (SIGKILL), most likely for memory';
  return signal === null ? `ended (exit code ${code})` : `was killed (${signal})`;
}

/**
 * When the container has no memory left, the kernel kills this process, and not the controller (proc(5), oom_score_adj).
 *
 * @param score 0 to 1,000: the higher, the sooner.
 */
export function killFirst({ pid }: ChildProcess, score: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(score));
  } catch {
    // There is no /proc, or the process has ended.
  }
}

/** The resident memory of a process in MB; 0 where there is no /proc. */
export function memoryOf({ pid }: ChildProcess): number {
  try {
    return (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES) / 1024 / 1024;
  } catch {
    return 0;
  }
}
