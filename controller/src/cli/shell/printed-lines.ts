import type { Logged } from '../../api/report.ts';
import type { CallResult } from '../../api/results.ts';
import { nodesText } from '../grouping.ts';
import { printable } from '../render/logs.ts';

type LoggedEntry = Logged['entries'][number];
type CallRow = CallResult['nodes'][number];

/** How many calls are remembered, of which lines can still arrive. */
const MAX_CALLS = 100;

/** A call of this shell. `answered`: how many lines the answer of a node has; null while it runs. */
interface Call {
  /** The lines of nodes that were shown, as {@link lineKey} names them. */
  readonly shown: Set<string>;
  answered: ReadonlyMap<string, number> | null;
}

/**
 * Decides what is shown of what modules print. A line of a call comes twice: as it is printed, and with the answer. It is shown once,
 * when the first of them arrives.
 */
export class PrintedLines {
  #isShown = true;
  /** By their ids, the newest last. */
  readonly #calls = new Map<string, Call>();

  /** Shows what arrives, or does not any more. Returns whether it does. */
  toggle(): boolean {
    this.#isShown = !this.#isShown;
    return this.#isShown;
  }

  /** A call begins. */
  begin(id: string): void {
    this.#calls.set(id, { shown: new Set(), answered: null });
    for (const oldest of this.#calls.keys()) {
      if (this.#calls.size <= MAX_CALLS) break;
      this.#calls.delete(oldest);
    }
  }

  /** What is to be shown of what arrived: `fred | Calculating like a boss!`. */
  arrived({ entries, dropped }: Pick<Logged, 'entries' | 'dropped'>): string[] {
    if (!this.#isShown) return [];
    const lines = entries.flatMap(entry => this.#linesOf(entry));
    return dropped === 0 ? lines : [...lines, `… ${dropped.toLocaleString('en-US')} lines dropped`];
  }

  /** The answers of a call, without the lines that were shown. */
  answered(id: string, rows: readonly CallRow[]): CallRow[] {
    const call = this.#calls.get(id);
    if (call === undefined) return [...rows];
    call.answered = new Map(rows.map(row => [row.node, row.status === 'silent' ? 0 : row.output.length]));
    return rows.map(row => {
      if (row.status === 'silent') return row;
      return { ...row, output: row.output.filter((_, index) => !call.shown.has(lineKey(row.node, index))) };
    });
  }

  #linesOf({ nodes, level, text, call: of }: LoggedEntry): string[] {
    // What a call throws is its answer.
    if (level === 'error') return [];
    const call = of === undefined ? undefined : this.#calls.get(of.id);
    return text.split('\n').flatMap((line, offset) => {
      const index = (of?.line ?? 0) + offset;
      const who = call === undefined ? nodes : nodes.filter(node => index >= (call.answered?.get(node) ?? 0));
      for (const node of who) call?.shown.add(lineKey(node, index));
      return who.length === 0
        ? []
        : [
            `${nodesText(
              who.map(node => ({ node })),
              0,
            )} | ${printable(line)}`,
          ];
    });
  }
}

function lineKey(node: string, line: number): string {
  return `${node} ${line}`;
}
