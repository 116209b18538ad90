import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

import { linesOf } from '../../../../controller/src/api/lines.ts';
import type { Saved } from '../../../../controller/src/api/report.ts';
import { readOutput } from '../../../support/cluster/output-schema.ts';
import type { Cluster } from '../../../support/cluster/cluster.ts';

/** `hotcast dev` in the controller's container, as `setup/hotcast dev` runs it without a terminal. Disposing ends it. */
export class DevSession implements AsyncDisposable {
  readonly saves: Saved[] = [];
  readonly #process: ChildProcessWithoutNullStreams;

  private constructor(process: ChildProcessWithoutNullStreams) {
    this.#process = process;
    void this.#read();
  }

  /** Resolves when the folder is watched. */
  static async start(cluster: Cluster, ...options: readonly string[]): Promise<DevSession> {
    const { id } = await cluster.container('controller');
    const inContainer = ['--interactive', '--env', 'HOTCAST_CLIENT=pipe', id];
    const child = spawn('docker', ['exec', ...inContainer, 'hotcast', 'dev', '--json', ...options]);
    for await (const line of linesOf(child.stderr.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>)) {
      if (line.includes('watching the modules folder')) break;
    }
    child.stderr.resume();
    return new DevSession(child);
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
    for await (const line of linesOf(this.#process.stdout)) {
      const output = readOutput(line);
      if ('saved' in output) this.saves.push(output.saved);
    }
  }
}
