import type { Saved } from '../../../../controller/src/api/report.ts';
import type { Cluster } from '../../../support/cluster/cluster.ts';
import { EndlessCommand } from '../../../support/commands/endless-command.ts';

/** `hotcast dev`. Disposing ends it. */
export class DevSession implements AsyncDisposable {
  readonly #command: EndlessCommand;

  private constructor(command: EndlessCommand) {
    this.#command = command;
  }

  /** Resolves when the folder is watched. */
  static async start(cluster: Cluster, ...options: readonly string[]): Promise<DevSession> {
    return new DevSession(await EndlessCommand.start(cluster, 'watching modules', 'dev', ...options));
  }

  get saves(): Saved[] {
    return this.#command.output.flatMap(line => ('saved' in line ? [line.saved] : []));
  }

  /** The exit status after the end of its input, as for Ctrl+C. */
  async end(): Promise<number | null> {
    return this.#command.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#command[Symbol.asyncDispose]();
  }
}
