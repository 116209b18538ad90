import type { Report } from '../../api/report.ts';
import type { Result, ResultOf } from '../../api/results.ts';
import type { CommandBody } from '../definition/command-body.ts';

/** How long the nodes have to answer what they have in memory, and a change (milliseconds). */
export const QUERY_TIMEOUT_MS = 2_000;
export const CHANGE_TIMEOUT_MS = 5_000;

/** Sends a command to the controller. */
export type Ask = (body: CommandBody, timeoutMs: number, signal: AbortSignal) => AsyncIterable<Report>;

/** The controller said why there is no result. */
export class Failure extends Error {
  readonly code: string;

  constructor({ code, message }: Pick<Extract<Report, { readonly type: 'failed' }>, 'code' | 'message'>) {
    super(message);
    this.code = code;
  }
}

/** Asks the controller for results. */
export class Asking {
  readonly #ask: Ask;
  readonly #show: (report: Extract<Report, { readonly type: 'progress' | 'warning' }>) => void;

  /** @param show receives what there is to show before the result. */
  constructor(ask: Ask, show: (report: Extract<Report, { readonly type: 'progress' | 'warning' }>) => void) {
    this.#ask = ask;
    this.#show = show;
  }

  /** @throws Failure when there is no result. */
  async for<C extends Result['command']>(
    command: C,
    body: CommandBody,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ResultOf<C>> {
    const result = await this.any(body, timeoutMs, signal);
    if (result.command !== command) throw new TypeError(`the controller answered ${result.command}`);
    return result as ResultOf<C>;
  }

  /** @throws Failure when there is no result. */
  async any(body: CommandBody, timeoutMs: number, signal: AbortSignal): Promise<Result> {
    for await (const report of this.#ask(body, timeoutMs, signal)) {
      if (report.type === 'result') return report.result;
      if (report.type === 'failed') throw new Failure(report);
      if (report.type === 'progress' || report.type === 'warning') this.#show(report);
    }
    throw new TypeError('the reports ended without a result');
  }

  /** Asks without waiting for an answer. */
  async tell(body: CommandBody): Promise<void> {
    try {
      for await (const report of this.#ask(body, QUERY_TIMEOUT_MS, AbortSignal.timeout(QUERY_TIMEOUT_MS)))
        if (report.type === 'result') return;
    } catch {
      // Nobody waits for it.
    }
  }
}
