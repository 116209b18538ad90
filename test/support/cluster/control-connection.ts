import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import * as v from 'valibot';

import type { Command } from '../../../controller/src/api/command.ts';
import { type Report, reportSchema } from '../../../controller/src/api/report.ts';
import type { CallResult, HeadChangeResult, PushResult, Result } from '../../../controller/src/api/results.ts';
import { jsonLine } from '../../../controller/src/api/validation.ts';

/** A program for the controller's container: sends lines from standard input to the control socket, and prints the reports. */
const RELAY = `
  const { createConnection } = require('node:net');
  require('node:readline').createInterface({ input: process.stdin }).on('line', line => {
    const socket = createConnection(process.env.CONTROLLER_SOCKET || '/run/hotcast/controller.sock');
    socket.write(line + '\\n');
    socket.pipe(process.stdout, { end: false });
  });
`;

/** The timeout for the nodes' answers (milliseconds). */
const TIMEOUT_MS = 5_000;

const COMMON = { cookie: null, timeoutMs: TIMEOUT_MS } as const;

/** Sends many commands to a controller through one process, one after another: to start `hotcast` takes longer than a push. */
export class ControlConnection implements Disposable {
  readonly #relay: ChildProcessWithoutNullStreams;
  readonly #reports: AsyncIterator<string>;
  readonly #olderFields: object | null;

  /**
   * @param container the id of the controller's container.
   * @param olderFields for a controller of an older build: fields that are added to every command. The shape of its
   *   reports is not checked.
   */
  constructor(container: string, olderFields: object | null = null) {
    this.#olderFields = olderFields;
    this.#relay = spawn('docker', ['exec', '--interactive', container, 'node', '-e', RELAY]);
    // When the relay fails, its output ends.
    this.#relay.stderr.resume();
    this.#relay.on('error', () => undefined).stdin.on('error', () => undefined);
    this.#reports = createInterface({ input: this.#relay.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Pushes one module, without the type check unless `check` is set. `onReport` gets every report before the result.
   *
   * @throws Error with the controller's message when the push fails, or when the controller is gone.
   */
  async push(
    module: string,
    { check = false, onReport }: { readonly check?: boolean; readonly onReport?: (report: Report) => void } = {},
  ): Promise<PushResult> {
    const how = { author: 'test', force: false, check, dryRun: false, canary: null };
    const result = await this.#send({ ...COMMON, type: 'push', modules: [module], ...how }, onReport);
    if (result.command === 'push') return result;
    throw new TypeError(`the controller answered push with ${result.command}`);
  }

  /** Removes a module from every node, as `hotcast remove` does. */
  async remove(module: string): Promise<HeadChangeResult> {
    const result = await this.#send({ ...COMMON, type: 'remove', modules: [module], author: 'test' });
    if (result.command === 'remove') return result;
    throw new TypeError(`the controller answered remove with ${result.command}`);
  }

  /** Calls a function on every node, as `hotcast call` does. */
  async call(call: string): Promise<CallResult> {
    const result = await this.#send({ ...COMMON, type: 'call', call, node: null, stack: false });
    if (result.command === 'call') return result;
    throw new TypeError(`the controller answered call with ${result.command}`);
  }

  [Symbol.dispose](): void {
    this.#relay.stdin.end();
  }

  async #send(command: Command, onReport?: (report: Report) => void): Promise<Result> {
    this.#relay.stdin.write(`${JSON.stringify({ ...command, ...this.#olderFields })}\n`);
    for (;;) {
      const { value, done } = await this.#reports.next();
      if (done === true) throw new Error('the controller does not answer');
      const report =
        this.#olderFields === null ? v.parse(jsonLine(reportSchema), value) : (JSON.parse(value) as Report);
      if (report.type === 'failed') throw new Error(report.message);
      if (report.type === 'result') return report.result;
      onReport?.(report);
    }
  }
}
