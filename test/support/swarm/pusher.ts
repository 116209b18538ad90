import { setTimeout as sleep } from 'node:timers/promises';

import type { PushResult, ResultOf } from '../../../controller/src/api/results.ts';
import type { Stack } from './stack.ts';
import { type PushRecord, Truth } from './truth.ts';

/** A pause after a push that found no controller, or no NATS (milliseconds). */
const PAUSE_MS = 200;

/** How many pushes there are between two looks at the history, which has the last heads only. */
const COMPARED_TOGETHER = 6;

/** Pushes a module again and again, each time with another number that it returns. */
export class Pusher implements AsyncDisposable {
  readonly records: PushRecord[] = [];
  readonly truth: Truth;
  readonly #stack: Stack;
  readonly #module: string;
  readonly #pushing: Promise<void>;
  #stopped = false;
  #wake: () => void = () => undefined;

  constructor(stack: Stack, module: string) {
    this.#stack = stack;
    this.#module = module;
    this.truth = new Truth(stack, module);
    this.#pushing = this.#pushUntilStopped();
    this.#pushing.catch(() => undefined); // Whoever waits gets the error.
  }

  /** Those that said that they are committed. */
  get committed(): readonly PushRecord[] {
    return this.records.filter(({ outcome }) => outcome === 'committed');
  }

  /** Waits until so many more pushes were committed. @throws Error after the time. */
  async commits(count: number, seconds: number): Promise<void> {
    const wanted = this.committed.length + count;
    const deadline = performance.now() + seconds * 1_000;
    while (this.committed.length < wanted) {
      if (performance.now() > deadline) {
        const last = this.records.slice(-3).map(({ number, exitCode, text }) => `${number}: ${exitCode} ${text}`);
        throw new Error(
          `fewer than ${count} pushes were committed in ${seconds} s; the last ones:\n${last.join('\n')}`,
        );
      }
      const next = new Promise<void>(resolve => {
        this.#wake = resolve;
      });
      await Promise.race([next, this.#pushing]);
    }
  }

  /** The longest time between two commits since a moment, in milliseconds. */
  longestGap(since: number): number {
    const ends = [since, ...this.committed.map(({ endedAt }) => endedAt).filter(at => at > since)];
    return Math.max(0, ...ends.slice(1).map((end, index) => end - (ends[index] ?? end)));
  }

  /** Ends after the push that runs, and compares the last pushes with the history. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#pushing;
    while (!(await this.truth.compare(this.records))) await sleep(PAUSE_MS);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #pushUntilStopped(): Promise<void> {
    for (let number = 1; !this.#stopped; number += 1) {
      this.#stack.writeModule(this.#module, sourceOf(number));
      const startedAt = performance.now();
      const { exitCode, stdout, stderr } = await this.#stack.hotcast(
        'push',
        this.#module,
        '--json',
        '--no-check',
        '--message',
        String(number),
      );
      const result = resultIn(stdout);
      const record = {
        number,
        startedAt,
        endedAt: performance.now(),
        exitCode,
        outcome: result?.outcome ?? '',
        silent: silentIn(result),
        text: `${stderr.trim()} ${detailOf(result)}`,
      } as const;
      this.records.push(record);
      this.#wake();
      if (number % COMPARED_TOGETHER === 0) await this.truth.compare(this.records);
      if (record.outcome === '') await sleep(PAUSE_MS);
    }
  }
}

const sourceOf = (number: number): string => `export const number = (): number => ${number};\n`;

/** What a result says beside the outcome. */
function detailOf(result: PushResult | ResultOf<'result'> | null): string {
  if (result?.command !== 'push') return '';
  const silent = silentIn(result).map(node => `${node} silent`);
  const took = Object.entries(result.times).map(([step, ms]) => `${step} ${Math.round(ms)}`);
  return [result.detail, ...silent, `(${took.join(', ')} ms)`].join(' ').trim();
}

function silentIn(result: PushResult | ResultOf<'result'> | null): readonly string[] {
  if (result?.command !== 'push') return [];
  return result.nodes.filter(({ status }) => status === 'silent').map(({ node }) => node);
}

function resultIn(stdout: string): PushResult | ResultOf<'result'> | null {
  try {
    return JSON.parse(stdout) as PushResult | ResultOf<'result'>;
  } catch {
    return null;
  }
}
