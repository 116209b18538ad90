import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
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

/** How long nodes have to answer (milliseconds). */
const PATIENCE = 5_000;

/**
 * Sends commands to a controller over one connection, one after another: a process for each takes longer than a push.
 */
export class ControlLine implements Disposable {
  readonly #relay: ChildProcessWithoutNullStreams;
  readonly #reports: AsyncIterator<string>;

  /** @param container the controller's, by id or name. */
  constructor(container: string) {
    this.#relay = spawn('docker', ['exec', '--interactive', container, 'node', '-e', RELAY]);
    // What it says there is lost; that it ended is seen on its output.
    this.#relay.stderr.resume();
    this.#relay.on('error', () => undefined).stdin.on('error', () => undefined);
    this.#reports = createInterface({ input: this.#relay.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Pushes one module, as `hotcast push --no-check` does, or with its types checked.
   *
   * @param options.onReport is told of all that comes before the result.
   */
  async push(
    module: string,
    { check = false, onReport }: { readonly check?: boolean; readonly onReport?: (report: Report) => void } = {},
  ): Promise<PushResult> {
    const how = { author: 'line', force: false, check, dryRun: false, canary: null };
    const command = { cookie: null, timeoutMs: PATIENCE, type: 'push', modules: [module], ...how } as const;
    const result = await this.#send(command, onReport);
    if (result.command === 'push') return result;
    throw new TypeError(`the controller answered push with ${result.command}`);
  }

  /** Takes a module off every node, as `hotcast remove` does. */
  async remove(module: string): Promise<HeadChangeResult> {
    const how = { type: 'remove', modules: [module], author: 'line' } as const;
    const result = await this.#send({ cookie: null, timeoutMs: PATIENCE, ...how });
    if (result.command === 'remove') return result;
    throw new TypeError(`the controller answered remove with ${result.command}`);
  }

  /** Calls a function on every node, as `hotcast call` does. */
  async call(call: string): Promise<CallResult> {
    const result = await this.#send({
      cookie: null,
      timeoutMs: PATIENCE,
      type: 'call',
      call,
      node: null,
      stack: false,
    });
    if (result.command === 'call') return result;
    throw new TypeError(`the controller answered call with ${result.command}`);
  }

  [Symbol.dispose](): void {
    this.#relay.stdin.end();
  }

  /** @throws Error with what the controller says when the command fails, or when it is gone. */
  async #send(command: Command, onReport?: (report: Report) => void): Promise<Result> {
    if (!this.#relay.stdin.write(`${JSON.stringify(command)}\n`)) await once(this.#relay.stdin, 'drain');
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
