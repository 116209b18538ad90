import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';

import * as v from 'valibot';

import type { Command } from '../../../controller/src/api/command.ts';
import { type Report, reportSchema } from '../../../controller/src/api/report.ts';
import type {
  CallResult,
  HeadChangeResult,
  PushResult,
  Result,
  ResultOf,
} from '../../../controller/src/api/results.ts';
import { jsonLine } from '../../../controller/src/api/validation.ts';
import { ControlRelay } from '../../../packages/testing/src/fleet/control-relay.ts';

/** The timeout for the nodes' answers (milliseconds). */
const TIMEOUT_MS = 5_000;

const COMMON = { cookie: null, timeoutMs: TIMEOUT_MS } as const;

/** A save that nodes run: since when (milliseconds since 1970), and its push. */
export interface Live {
  readonly at: number;
  readonly result: PushResult;
}

/** Sends commands to a controller without the command line: to start `hotcast` takes longer than a push. */
export class ControlConnection implements Disposable {
  readonly #relay: ControlRelay;
  readonly #olderFields: object | null;
  #isDisposed = false;

  /**
   * @param container the id of the controller's container.
   * @param olderFields for a controller of an older build: fields that are added to every command. The shape of its
   *   reports is not checked.
   */
  constructor(container: string, olderFields: object | null = null) {
    this.#olderFields = olderFields;
    this.#relay = new ControlRelay(container);
  }

  /**
   * Pushes a module, or several together, without the type check unless `check` is set. `onReport` gets every report before the
   * result.
   *
   * @throws Error with the controller's message when the push fails, or when the controller is gone.
   */
  async push(
    modules: string | readonly string[],
    { check = false, onReport }: { readonly check?: boolean; readonly onReport?: (report: Report) => void } = {},
  ): Promise<PushResult> {
    const how = { author: 'test', change: randomUUID(), force: false, check, dryRun: false, canary: null };
    const result = await this.#send({ ...COMMON, type: 'push', modules: [modules].flat(), ...how }, onReport);
    if (result.command === 'push') return result;
    throw new TypeError(`the controller answered push with ${result.command}`);
  }

  /**
   * Watches the modules folder, as `hotcast dev` does, until this is disposed of. Emits `watching`, and `live` for each save that nodes
   * run.
   */
  dev(): EventEmitter<{ watching: []; live: [Live] }> {
    const events = new EventEmitter<{ watching: []; live: [Live] }>();
    this.#follow(events, { ...COMMON, type: 'dev', strict: false, author: 'test' }, report => {
      if (report.type === 'note' && report.message.startsWith('watching')) events.emit('watching');
      if (report.type !== 'saved' || report.result?.outcome !== 'committed') return;
      events.emit('live', { at: report.at + report.ms, result: report.result });
    });
    return events;
  }

  /** Follows what all modules log, as `hotcast tail` does, until this is disposed of. Emits `logged` when there are lines. */
  tail(): EventEmitter<{ logged: [] }> {
    const events = new EventEmitter<{ logged: [] }>();
    this.#follow(events, { ...COMMON, type: 'tail', modules: [], node: null, level: 'info', grep: '' }, report => {
      if (report.type === 'logged') events.emit('logged');
    });
    return events;
  }

  /** Removes a module, or several together, from every node, as `hotcast remove` does. */
  async remove(modules: string | readonly string[]): Promise<HeadChangeResult> {
    const result = await this.#send({
      ...COMMON,
      type: 'remove',
      modules: [modules].flat(),
      author: 'test',
      change: randomUUID(),
      state: false,
    });
    if (result.command === 'remove') return result;
    throw new TypeError(`the controller answered remove with ${result.command}`);
  }

  /** Calls a function on every node, as `hotcast call` does. */
  async call(call: string): Promise<CallResult> {
    const result = await this.#send({ ...COMMON, type: 'call', call, node: null, stack: false });
    if (result.command === 'call') return result;
    throw new TypeError(`the controller answered call with ${result.command}`);
  }

  /** Compares what should run with what runs, as `hotcast status` does. */
  async status(): Promise<ResultOf<'status'>> {
    const result = await this.#send({ ...COMMON, type: 'status', waitMs: 0 });
    if (result.command === 'status') return result;
    throw new TypeError(`the controller answered status with ${result.command}`);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#relay[Symbol.dispose]();
  }

  /** Sends a command that ends with this connection. Other ends are an error event. */
  #follow(events: Pick<EventEmitter, 'emit'>, command: Command, onReport: (report: Report) => void): void {
    this.#send(command, onReport).catch((error: unknown) => this.#isDisposed || events.emit('error', error));
  }

  async #send(command: Command, onReport?: (report: Report) => void): Promise<Result> {
    const line = JSON.stringify({ ...command, ...this.#olderFields });
    return new Promise((resolve, reject) => {
      this.#relay.send(line, answer => {
        if (answer === null) return reject(new Error('the controller does not answer'));
        try {
          const report = this.#parse(answer);
          if (report.type === 'failed') reject(new Error(report.message));
          else if (report.type === 'result') resolve(report.result);
          else onReport?.(report);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }

  #parse(line: string): Report {
    return this.#olderFields === null ? v.parse(jsonLine(reportSchema), line) : (JSON.parse(line) as Report);
  }
}
