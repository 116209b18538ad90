import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

import { linesOf } from '../../../controller/src/api/lines.ts';
import type { Output } from '../../../controller/src/api/output.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { readOutput } from './output-schema.ts';

/** A `hotcast` command that runs until Ctrl+C, in the controller's container, as `setup/hotcast` runs it without a terminal. Disposing ends it. */
export class EndlessCommand implements AsyncDisposable {
  /** What it has printed: a line of JSON each. */
  readonly output: Output[] = [];
  readonly #process: ChildProcessWithoutNullStreams;

  private constructor(process: ChildProcessWithoutNullStreams) {
    this.#process = process;
    void this.#read();
  }

  /** Starts `hotcast … --json`. Resolves when it has said `ready` on standard error. */
  static async start(cluster: Cluster, ready: string, ...args: readonly string[]): Promise<EndlessCommand> {
    const { id } = await cluster.container('controller');
    const inContainer = ['--interactive', '--env', 'HOTCAST_CLIENT=pipe', id];
    const child = spawn('docker', ['exec', ...inContainer, 'hotcast', ...args, '--json']);
    const errors = child.stderr.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
    for await (const line of linesOf(errors)) if (line.includes(ready)) break;
    child.stderr.resume();
    return new EndlessCommand(child);
  }

  /** The exit status after the end of its input, as for Ctrl+C. */
  async end(): Promise<number | null> {
    const closed = new Promise<number | null>(resolve => this.#process.once('close', resolve));
    this.#process.stdin.end();
    return closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) await this.end();
  }

  async #read(): Promise<void> {
    for await (const line of linesOf(this.#process.stdout)) this.output.push(readOutput(line));
  }
}
