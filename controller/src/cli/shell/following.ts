import { setTimeout as sleep } from 'node:timers/promises';

import type { Logged } from '../../api/report.ts';
import { type Ask, QUERY_TIMEOUT_MS } from './asking.ts';

/** After a tail that was lost, because the controller ended for example, the next one (milliseconds). */
const AGAIN_MS = 1_000;

/** Follows what modules print on the node of a shell, or on all. */
export class Following implements Disposable {
  readonly #ask: Ask;
  readonly #onLogged: (logged: Logged) => void;
  #ended = new AbortController();

  constructor(ask: Ask, onLogged: (logged: Logged) => void) {
    this.#ask = ask;
    this.#onLogged = onLogged;
  }

  /** Follows another node; null: all. */
  on(node: string | null): void {
    this[Symbol.dispose]();
    this.#ended = new AbortController();
    void this.#follow(node, this.#ended.signal);
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
  }

  async #follow(node: string | null, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const all = { modules: [], level: 'info', grep: '' } as const;
        for await (const report of this.#ask({ type: 'tail', node, ...all }, QUERY_TIMEOUT_MS, signal)) {
          if (report.type === 'logged' && !signal.aborted) this.#onLogged(report);
        }
      } catch {
        // What is typed next says what is wrong.
      }
      await sleep(AGAIN_MS, null, { signal, ref: false }).catch(() => undefined);
    }
  }
}
