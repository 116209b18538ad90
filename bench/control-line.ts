import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import type { Command, Report } from '../controller/src/api/command.ts';
import type { CallResult, HeadChangeResult, PushResult, Result } from '../controller/src/api/results.ts';

/** Carries lines from standard input to the controller's socket, and its reports back. */
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

/** Sends commands to a controller through one process, one after another: to start `hotcast` takes longer than a push. */
export class ControlLine implements Disposable {
  readonly #relay: ChildProcessWithoutNullStreams;
  readonly #reports: AsyncIterator<string>;
  readonly #extra: object;

  /**
   * @param container the controller's container, by id or name.
   * @param extra fields that are added to every command, for a controller of an older build.
   */
  constructor(container: string, extra: object = {}) {
    this.#extra = extra;
    this.#relay = spawn('docker', ['exec', '--interactive', container, 'node', '-e', RELAY]);
    // An end of the relay is noticed as the end of its output.
    this.#relay.stderr.resume();
    this.#relay.on('error', () => undefined).stdin.on('error', () => undefined);
    this.#reports = createInterface({ input: this.#relay.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Pushes one module, as `hotcast push --no-check` does, or with its types checked.
   *
   * @param options.onReport gets every report before the result.
   */
  async push(
    module: string,
    { check = false, onReport }: { readonly check?: boolean; readonly onReport?: (report: Report) => void } = {},
  ): Promise<PushResult> {
    const how = { author: 'line', force: false, check, dryRun: false, canary: null };
    const result = await this.#send({ ...COMMON, type: 'push', modules: [module], ...how }, onReport);
    if (result.command === 'push') return result;
    throw new TypeError(`the controller answered push with ${result.command}`);
  }

  /** Removes a module from every node, as `hotcast remove` does. */
  async remove(module: string): Promise<HeadChangeResult> {
    const result = await this.#send({ ...COMMON, type: 'remove', modules: [module], author: 'line' });
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

  /** @throws Error with the controller's message when the command fails, or when the controller is gone. */
  async #send(command: Command, onReport?: (report: Report) => void): Promise<Result> {
    this.#relay.stdin.write(`${JSON.stringify({ ...command, ...this.#extra })}\n`);
    for (;;) {
      const { value, done } = await this.#reports.next();
      if (done === true) throw new Error('the controller does not answer');
      const report = JSON.parse(value) as Report;
      if (report.type === 'failed') throw new Error(report.message);
      if (report.type === 'result') return report.result;
      onReport?.(report);
    }
  }
}

const COMMON = { cookie: null, timeoutMs: TIMEOUT_MS } as const;
