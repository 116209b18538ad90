import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type Dockerode from 'dockerode';

import { runCli } from '../../../../controller/src/cli/program.ts';
import { replicaName } from '../../../../protocol/names.ts';
import { createNetwork, createVolume, engine } from '../docker/engine.ts';
import { removeLabelled } from '../docker/remove-labelled.ts';
import { ClusterKeys } from './cluster-keys.ts';
import { CLUSTER_LABEL, ContainerSpecs, type Images, stateVolumeOf } from './container-specs.ts';
import { serveControlSocket } from './control-socket.ts';
import { HotcastCommands, type ProcessOutput } from './hotcast-commands.ts';
import { findLogLine, type LogLine, readLog } from './log-lines.ts';
import { ModulesFolder, type ModulesSource } from './modules-folder.ts';
import { StartedContainers } from './started-containers.ts';

/** What a cluster is started with. */
export interface RunningClusterOptions {
  readonly nodes: number;
  /** The images of our services. */
  readonly images: Images;
  /** What is copied into the cluster's modules folder. */
  readonly modules: ModulesSource;
  /** The disk of NATS is a memory file system of this size. */
  readonly natsDiskMb?: number;
  /** Environment variables of the nodes. */
  readonly node?: Readonly<Record<string, string>>;
  /** Environment variables of the controller. */
  readonly controller?: Readonly<Record<string, string>>;
}

/** A result that is lost is looked up so long: tests start the next controller later (milliseconds). */
const LOOKUP_TIMEOUT_MS = 1_000;

/** The services that do not log `ready`. */
const SILENT: ReadonlySet<string> = new Set(['nats', 'proxy']);

/** A whole cluster in its own network, with the containers of docker-compose.yml. */
export class RunningCluster extends HotcastCommands implements AsyncDisposable {
  readonly id = `hotcast-test-${randomBytes(4).toString('hex')}`;
  /** The cluster's name and address. No other cluster has it. */
  readonly cookie = `cookie-${randomBytes(4).toString('hex')}`;
  protected readonly folder = mkdtempSync(join(tmpdir(), 'hotcast-test-'));
  readonly keys = new ClusterKeys(join(this.folder, 'keys'));
  protected readonly containers = new StartedContainers();
  protected readonly specs: ContainerSpecs;
  protected readonly modules: ModulesFolder;
  readonly #options: RunningClusterOptions;
  readonly #socketPath = join(this.folder, 'control.sock');
  #control: AsyncDisposable | null = null;
  #nodes = 0;

  /** Call {@link start} then. */
  constructor(options: RunningClusterOptions) {
    super();
    this.#options = options;
    chmodSync(this.folder, 0o755);
    this.specs = new ContainerSpecs(this.id, this.cookie, this.keys, options.images);
    this.modules = new ModulesFolder(join(this.folder, 'modules'), options.modules);
  }

  /** Resolves when all containers are ready and the nodes answer. What was started is removed when one fails. */
  async start(): Promise<void> {
    try {
      this.#control = await serveControlSocket(this.#socketPath, () => this.containers.get('controller').getId());
      this.keys.make(this.cookie);
      await this.#startAll(this.#options.nodes);
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#control?.[Symbol.asyncDispose]();
    await removeLabelled(`${CLUSTER_LABEL}=${this.id}`);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /**
   * Runs `hotcast …` in this process, connected to the controller: see {@link serveControlSocket}.
   * `exec('controller', ['hotcast', …])` runs it in the container.
   */
  async hotcast(...args: readonly string[]): Promise<ProcessOutput> {
    const output = { stdout: '', stderr: '' };
    const exitCode = await runCli(args, {
      socketPath: this.#socketPath,
      author: 'hotcast',
      lookupTimeoutMs: LOOKUP_TIMEOUT_MS,
      terminal: {
        out: text => void (output.stdout += `${text}\n`),
        err: text => void (output.stderr += `${text}\n`),
        draw: null,
      },
    });
    return { exitCode, ...output };
  }

  /** The cluster's modules folder on this machine. */
  get modulesDir(): string {
    return this.modules.path;
  }

  /** The names of the nodes, in the order of their numbers. */
  get nodeNames(): string[] {
    return Array.from({ length: this.#nodes }, (_, index) => replicaName(index + 1));
  }

  /** Writes `<name>.ts` into the cluster's modules folder. */
  writeModule(name: string, source: string): void {
    this.writeFile(`${name}.ts`, source);
  }

  /** Reads a file of the cluster's modules folder. */
  readFile(path: string): string {
    return this.modules.readFile(path);
  }

  /** Writes a file into the cluster's modules folder. @throws TypeError when its path is outside of it. */
  writeFile(path: string, text: string): void {
    this.modules.writeFile(path, text);
  }

  /** Starts this number of nodes; resolves when they are ready. */
  async addNodes(count: number): Promise<void> {
    const first = this.#nodes + 1;
    this.#nodes += count;
    const replicas = Array.from({ length: count }, (_, index) => first + index);
    await waitForAll(replicas.map(replica => this.addNode(replicaName(replica), `node-${replica}`)));
  }

  /** Starts one node. Its container's name ends in `suffix`. */
  async addNode(
    name: string,
    suffix: string,
    { cookie = this.cookie }: { readonly cookie?: string } = {},
  ): Promise<void> {
    await this.makeKeys(cookie);
    await this.containers.start(name, this.specs.node(suffix, cookie, this.#options.node));
  }

  /** Starts the proxy. Returns its address on this machine, such as `127.0.0.1:32768`. */
  async addProxy(): Promise<string> {
    await this.containers.start('proxy', this.specs.proxy());
    return `127.0.0.1:${await this.containers.publishedPort('proxy', 8080)}`;
  }

  /** Runs a program in a container. */
  async exec(name: string, command: readonly string[]): Promise<ProcessOutput> {
    return this.containers.get(name).exec([...command]);
  }

  /** Kills a container with SIGKILL. The engine does not restart it. */
  async kill(name: string): Promise<void> {
    await (await this.container(name)).kill();
  }

  /** Starts a container that has stopped; resolves when it is ready. */
  async startContainer(name: string): Promise<void> {
    const startedAt = Date.now();
    await (await this.container(name)).start();
    await this.waitForLog(name, ({ msg }) => msg === 'ready', startedAt);
  }

  /** The names of the containers that run, for {@link restore}. */
  async running(): Promise<string[]> {
    return this.containers.running();
  }

  /** Has these containers run in the network again, whatever happened to them. Resolves when those that it started are ready. */
  async restore(names: readonly string[]): Promise<void> {
    const startedAt = Date.now();
    const started = await this.containers.resume(names, this.id);
    const logging = started.filter(name => !SILENT.has(name));
    await waitForAll(logging.map(name => this.waitForLog(name, ({ msg }) => msg === 'ready', startedAt)));
  }

  /** Disconnects a container from the network. Its processes continue to run. */
  async disconnect(name: string): Promise<void> {
    const network = (await engine()).getNetwork(this.id);
    await network.disconnect({ Container: (await this.container(name)).id });
  }

  /** Connects a container to the network again. */
  async reconnect(name: string): Promise<void> {
    const network = (await engine()).getNetwork(this.id);
    await network.connect({ Container: (await this.container(name)).id });
  }

  /** The engine's handle of a container: a node's by the node's name, or `nats`, `roster`, `controller`, … */
  async container(name: string): Promise<Dockerode.Container> {
    return this.containers.handle(name);
  }

  /** The lines that a container has logged until now. */
  async logsOf(name: string): Promise<LogLine[]> {
    return readLog(await this.container(name));
  }

  /** Waits until a container logs a line that matches. Earlier lines count too, unless they are older than `after`. */
  async waitForLog(name: string, matches: (line: LogLine) => boolean, after = 0): Promise<LogLine> {
    const line = await findLogLine(await this.container(name), matches, after);
    if (line === null) throw new Error(`${name} stopped, or did not log the expected line in time`);
    return line;
  }

  protected controllerSpec(suffix: string, cookie: string, modules = this.modules) {
    return this.specs.controller(suffix, cookie, modules, this.#options.controller);
  }

  /** Makes the keys of one more cookie. NATS restarts, because it reads its accounts only at the start. */
  protected async makeKeys(cookie: string): Promise<void> {
    if (this.keys.make(cookie)) await this.containers.get('nats').restart();
  }

  async #startAll(nodes: number): Promise<void> {
    await createNetwork(this.id, { [CLUSTER_LABEL]: this.id });
    await createVolume(stateVolumeOf(this.id), { [CLUSTER_LABEL]: this.id });
    // A client that connects before the auth callout is ready waits for its connection timeout of 5 seconds.
    await waitForAll([
      this.containers.start('nats', this.specs.nats(this.#options.natsDiskMb)),
      this.containers.start('auth-callout', this.specs.authCallout()),
    ]);
    await waitForAll([
      this.containers.start('roster', this.specs.roster()),
      this.containers.start('controller', this.controllerSpec('controller', this.cookie)),
      this.addNodes(nodes),
    ]);
    const rows = await this.nodes('--wait', String(nodes), '--timeout', '60');
    const answering = new Set(rows.flatMap(({ node, status }) => (status === 'present' ? [node] : [])));
    const silent = this.nodeNames.filter(name => !answering.has(name));
    if (silent.length > 0) throw new Error(`no answer of ${silent.join(', ')} within 60 s after the start`);
  }
}

/** Waits for all, also when one fails: no container must still be starting when the cluster is removed. */
async function waitForAll(starts: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(starts)).find(each => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
