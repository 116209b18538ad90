import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';

import type { Command, Report } from '../../controller/src/command.ts';
import type { PushResult } from '../../controller/src/results.ts';
import type { Cluster } from './cluster.ts';
import { engine } from './docker.ts';

/** Carries lines from standard input to the controller's socket, and its reports back. */
const RELAY = `
  const { createConnection } = require('node:net');
  require('node:readline').createInterface({ input: process.stdin }).on('line', line => {
    const socket = createConnection(process.env.CONTROLLER_SOCKET || '/run/hotcast/controller.sock');
    socket.write(line + '\\n');
    socket.pipe(process.stdout, { end: false });
  });
`;

/** Pushes over one connection to a cluster's controller: a process for each takes longer than the push. */
export class PushLine implements Disposable {
  readonly #input: NodeJS.ReadWriteStream;
  readonly #reports: AsyncIterator<string>;

  private constructor(input: NodeJS.ReadWriteStream, reports: AsyncIterator<string>) {
    this.#input = input;
    this.#reports = reports;
  }

  static async open(cluster: Cluster): Promise<PushLine> {
    const controller = await cluster.container('controller');
    const exec = await controller.exec({
      Cmd: ['node', '-e', RELAY],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    });
    const duplex = await exec.start({ hijack: true, stdin: true });
    const output = new PassThrough();
    (await engine()).modem.demuxStream(duplex, output, output);
    duplex.once('end', () => output.end());
    return new PushLine(duplex, createInterface({ input: output })[Symbol.asyncIterator]());
  }

  /** Pushes one module, as `hotcast push` does; another push must have ended. */
  async push(module: string): Promise<PushResult> {
    const request = {
      type: 'push',
      modules: [module],
      author: 'test',
      force: false,
      check: false,
      dryRun: false,
      canary: null,
    } as const;
    const command: Command = { cookie: null, patience: 5_000, ...request };
    if (!this.#input.write(`${JSON.stringify(command)}\n`)) await once(this.#input, 'drain');
    for (;;) {
      const { value, done } = await this.#reports.next();
      if (done === true) throw new Error('the controller does not answer');
      const report = JSON.parse(value) as Report;
      if (report.type === 'failed') throw new Error(report.message);
      if (report.type === 'result') return report.result as PushResult;
    }
  }

  [Symbol.dispose](): void {
    this.#input.end();
  }
}
