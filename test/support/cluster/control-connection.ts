import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import * as v from 'valibot';

import type { Command } from '../../../controller/src/api/command.ts';
import { reportSchema } from '../../../controller/src/api/report.ts';
import type { PushResult } from '../../../controller/src/api/results.ts';
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

/** The timeout of a push (milliseconds). */
const PUSH_TIMEOUT_MS = 5_000;

/** Sends many pushes to a controller through one process: a `hotcast` process for each push takes longer than the push. */
export class ControlConnection implements Disposable {
  readonly #relay: ChildProcessWithoutNullStreams;
  readonly #reports: AsyncIterator<string>;

  /** @param container the id of the controller's container. */
  constructor(container: string) {
    this.#relay = spawn('docker', ['exec', '--interactive', container, 'node', '-e', RELAY]);
    // When the relay fails, its output ends.
    this.#relay.stderr.resume();
    this.#relay.on('error', () => undefined).stdin.on('error', () => undefined);
    this.#reports = createInterface({ input: this.#relay.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Pushes one module, without the type check.
   *
   * @throws Error with the controller's message when the push fails, or when the controller is gone.
   */
  async push(module: string): Promise<PushResult> {
    const options = { force: false, check: false, dryRun: false, canary: null };
    const base = { cookie: null, timeoutMs: PUSH_TIMEOUT_MS, author: 'test' };
    const command: Command = { type: 'push', modules: [module], ...base, ...options };
    this.#relay.stdin.write(`${JSON.stringify(command)}\n`);
    for (;;) {
      const { value, done } = await this.#reports.next();
      if (done === true) throw new Error('the controller does not answer');
      const report = v.parse(jsonLine(reportSchema), value);
      if (report.type === 'failed') throw new Error(report.message);
      if (report.type === 'result' && report.result.command === 'push') return report.result;
    }
  }

  [Symbol.dispose](): void {
    this.#relay.stdin.end();
  }
}
