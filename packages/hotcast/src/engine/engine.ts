import { type ChildProcess, execFile, spawn, type StdioOptions } from 'node:child_process';
import type { Writable } from 'node:stream';

import { UnavailableError } from '../../../../protocol/errors.ts';
import { ended, noDocker } from './child-status.ts';
import { listContainers, localSocket } from './socket.ts';
import { type Exec, execBySocket, type ExecRequest } from './exec.ts';
import { variables } from './variables.ts';

/** The labels of a container of Compose. */
const LABELS = 'com.docker.compose';

/** The label with the service of a task of Swarm. */
const SWARM_SERVICE = 'com.docker.swarm.service.name';

/** The label with the modules folder. */
const MODULES_LABEL = 'hotcast.modules';

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
 * A Docker engine: through its socket, if it has one on this machine, or through the `docker` command, which knows SSH and TLS.
 */
export class Engine {
  readonly #context: readonly string[];
  readonly #socket: string | null;
  /** How the user starts the cluster, for messages. */
  readonly start: string;

  constructor(context: string | null, start: string) {
    this.#context = context === null ? [] : ['--context', context];
    this.#socket = localSocket(context, process.env);
    this.start = start;
  }

  /**
   * The controller of a project of Compose, or of a stack of Swarm that runs it on this machine, by its labels: `docker compose exec` takes
   * ten times as long. Null: it does not run.
   *
   * @throws UnavailableError when no engine answers.
   */
  async controllerOf(project: string): Promise<Controller | null> {
    const ofCompose = await this.#controllerWith([`${LABELS}.project=${project}`, `${LABELS}.service=controller`]);
    return ofCompose ?? this.#controllerWith([`${SWARM_SERVICE}=${project}_controller`]);
  }

  async #controllerWith(labels: readonly string[]): Promise<Controller | null> {
    const [listed] = (this.#socket === null ? null : await listContainers(this.#socket, labels)) ?? [];
    if (listed !== undefined) return { id: listed.Id, modules: listed.Labels[MODULES_LABEL] ?? '' };
    // The command knows other ways to an engine, and says what is wrong.
    const [line = ''] = await this.#containers(`{{.ID}} {{.Label "${MODULES_LABEL}"}}`, labels);
    const [id = '', ...modules] = line.split(' ');
    return id === '' ? null : { id, modules: modules.join(' ') };
  }

  /** The projects whose controller runs. @throws UnavailableError when no engine answers. */
  async projects(): Promise<string[]> {
    return this.#containers(`{{.Label "${LABELS}.project"}}`, [`${LABELS}.service=controller`, MODULES_LABEL]);
  }

  /** Runs a command in a container, whose output is that of this process. A signal to this process's group is none to the command. */
  async execHere(request: ExecRequest): Promise<Exec> {
    const bySocket = this.#socket === null ? null : await execBySocket(this.#socket, request);
    if (bySocket !== null) return bySocket;
    const { container, env, command, onErrors } = request;
    const args = ['--interactive', ...variables(env), container, ...command];
    const child = this.exec(args, ['pipe', 'inherit', 'pipe'], { detached: true });
    child.stderr?.on('data', onErrors);
    return { input: child.stdin as Writable, ended: ended(child) };
  }

  /** Runs `docker exec …`. */
  exec(args: readonly string[], stdio: StdioOptions, { detached = false } = {}): ChildProcess {
    return spawn('docker', [...this.#context, 'exec', ...args], { stdio, detached });
  }

  /** Runs `docker run …`, which prints here. */
  run(args: readonly string[]): ChildProcess {
    return spawn('docker', [...this.#context, 'run', ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  }

  /** What `docker exec …` prints. */
  execOutput(args: readonly string[]): Promise<Output> {
    return this.#run(['exec', ...args]);
  }

  async #containers(format: string, labels: readonly string[]): Promise<string[]> {
    const filters = ['status=running', ...labels.map(label => `label=${label}`)];
    const given = filters.flatMap(filter => ['--filter', filter]);
    const { status, stdout, stderr } = await this.#run(['ps', '--format', format, ...given]);
    if (status === 0) return stdout.split('\n').filter(line => line !== '');
    const [reason = ''] = stderr.trim().split('\n');
    throw new UnavailableError(
      `no Docker engine answers; start it, and then the cluster with: ${this.start} (${reason})`,
    );
  }

  #run(args: readonly string[]): Promise<Output> {
    return new Promise((done, fail) => {
      execFile('docker', [...this.#context, ...args], { encoding: 'utf8' }, (error, stdout, stderr) => {
        if (error === null) return done({ status: 0, stdout, stderr });
        if (error.code === 'ENOENT') return fail(noDocker(error));
        done({ status: typeof error.code === 'number' ? error.code : 128, stdout, stderr });
      });
    });
  }
}
