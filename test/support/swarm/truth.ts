import type { PushResult, ResultOf } from '../../../controller/src/api/results.ts';
import type { Stack } from './stack.ts';

/** A push, and what it said of itself. */
export interface PushRecord {
  /** It counts from 1, and is the message of the push. */
  readonly number: number;
  /** Milliseconds since the start of this process. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly exitCode: number;
  /** As in the result, which was looked up if it was lost; '' if there was none. */
  readonly outcome: PushResult['outcome'] | ResultOf<'result'>['outcome'] | '';
  /** The nodes that it named as silent. */
  readonly silent: readonly string[];
  readonly text: string;
}

/** What the history says of the head of a push. */
interface Written {
  readonly sequence: number;
  /** Whether it was taken back. */
  readonly isReverted: boolean;
}

/** Compares what the pushes of a module said with the module's history, which has the last heads only: so it is read often. */
export class Truth {
  /** What was said and is not so. */
  readonly lies: string[] = [];
  readonly #stack: Stack;
  readonly #module: string;
  readonly #written = new Map<number, Written>();
  /** The pushes that were compared. */
  #compared = 0;

  constructor(stack: Stack, module: string) {
    this.#stack = stack;
    this.#module = module;
  }

  /** Compares the pushes that have ended since the last time. Without an answer they are compared the next time, and false is returned. */
  async compare(records: readonly PushRecord[]): Promise<boolean> {
    const heads = await this.#stack.history(this.#module).catch(() => null);
    if (heads === null) return false;
    for (const { message = '', sequence, outcome } of heads) {
      const number = Number(message);
      this.#written.set(number, { sequence, isReverted: outcome?.verdict === 'reverted' });
    }
    for (const record of records.slice(this.#compared)) this.lies.push(...this.#lieOf(record));
    this.#compared = records.length;
    return true;
  }

  /** The pushes whose heads are before those of earlier ones. */
  get outOfOrder(): readonly number[] {
    const numbers = [...this.#written].toSorted(([, a], [, b]) => a.sequence - b.sequence).map(([number]) => number);
    return numbers.filter((number, index) => number < (numbers[index - 1] ?? 0));
  }

  /** The last push whose head was written and stayed. */
  get last(): number {
    return Math.max(0, ...[...this.#written].filter(([, { isReverted }]) => !isReverted).map(([number]) => number));
  }

  #lieOf({ number, outcome, exitCode, text }: PushRecord): string[] {
    const written = this.#written.get(number);
    const said = `push ${number} said ${outcome || 'nothing'} (exit code ${exitCode}: ${text.trim()})`;
    if (outcome === 'committed' && written === undefined) return [`${said}, and has no head`];
    if (outcome === 'committed' && written?.isReverted === true) return [`${said}, and was reverted`];
    return exitCode === 2 && written !== undefined ? [`${said}, and its head was written`] : [];
  }
}
