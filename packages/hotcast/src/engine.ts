import { type ChildProcess, execFile, spawn, type StdioOptions } from 'node:child_process';

import { UnavailableError } from '../../../protocol/errors.ts';

/** The labels of a container of Compose. */
const LABELS = 'com.docker.compose';

/** The container in which the controller runs. */
export interface Controller {
  readonly id: string;
  /** Its modules folder as the compose file names it; none if it says nothing of it. */
  readonly modules: string;
}

interface Output {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A Docker engine, through the `docker` command: it knows contexts, SSH and TLS.
 */
export class Engine {
  readonly #context: readonly string[];
  readonly #start: string;

  /** @param start how the user starts the cluster, for messages. */
  constructor(context: string | null, start: string) {
    this.#context = context === null ? [] : ['--context', context];
    this.#start = start;
  }

  /**
   * The controller of a project, by its labels: `docker compose exec` takes ten times as long. Null: it does not run.
   *
   * @throws UnavailableError when no engine answers.
   */
  async controllerOf(project: string): Promise<Controller | null> {
    const labels = [`label=${LABELS}.project=${project}`, `label=${LABELS}.service=controller`];
    const [line = ''] = await this.#containers('{{.ID}} {{.Label "hotcast.modules"}}', labels);
    const [id = '', ...modules] = line.split(' ');
    return id === '' ? null : { id, modules: modules.join(' ') };
  }

  /** The projects whose controller runs. @throws UnavailableError when no engine answers. */
  async projects(): Promise<string[]> {
    return this.#containers(`{{.Label "${LABELS}.project"}}`, [
      `label=${LABELS}.service=controller`,
      'label=hotcast.modules',
    ]);
  }

  /** Runs `docker exec …`. */
  exec(args: readonly string[], stdio: StdioOptions, { detached = false } = {}): ChildProcess {
    return spawn('docker', [...this.#context, 'exec', ...args], { stdio, detached });
  }

  /** What `docker exec …` prints. */
  execOutput(args: readonly string[]): Promise<Output> {
    return this.#run(['exec', ...args]);
  }

  async #containers(format: string, filters: readonly string[]): Promise<string[]> {
    const given = ['status=running', ...filters].flatMap(filter => ['--filter', filter]);
    const { status, stdout, stderr } = await this.#run(['ps', '--format', format, ...given]);
    if (status === 0) return stdout.split('\n').filter(line => line !== '');
    const [reason = ''] = stderr.trim().split('\n');
    throw new UnavailableError(
      `no Docker engine answers; start it, and then the cluster with: ${this.#start} (${reason})`,
    );
  }

  #run(args: readonly string[]): Promise<Output> {
    return new Promise((done, fail) => {
      execFile('docker', [...this.#context, ...args], { encoding: 'utf8' }, (error, stdout, stderr) => {
        if (error === null) return done({ status: 0, stdout, stderr });
        if (error.code === 'ENOENT')
          return fail(new UnavailableError('there is no docker command in PATH: install Docker'));
        done({ status: typeof error.code === 'number' ? error.code : 128, stdout, stderr });
      });
    });
  }
}
