import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import type { NodeConnectionOptions } from '@nats-io/transport-node';
import type Dockerode from 'dockerode';
import { type StartedTestContainer, Wait } from 'testcontainers';

import type { PushResult } from '../../controller/src/api/results.ts';
import { replicaName } from '../../protocol/names.ts';
import { ClusterKeys } from './cluster-keys.ts';
import { createNetwork, engine, HardenedContainer, logLines, removeLabelled } from './docker.ts';
import { asProxy, PROXY_IMAGE } from './proxy.ts';
import { Hotcast } from './hotcast.ts';
import type { Ended } from './shell.ts';
import type { Role } from '../../protocol/inboxes.ts';

/** A second controller of a cluster. */
export interface Rival {
  readonly writeModule: (name: string, source: string) => void;
  readonly push: (module: string, ...options: string[]) => Promise<PushResult>;
}

/** A line of a container's log, as pino writes it. */
export interface LogLine {
  readonly time: string;
  readonly msg: string;
  readonly node?: string;
  readonly module?: string;
  readonly revision?: string;
  readonly script?: string;
  readonly err?: { readonly type: string; readonly message: string; readonly stack?: string };
}

/** The image of a service, as Compose names it. */
export function imageOf(service: 'node' | 'controller' | 'roster' | 'auth-callout'): string {
  return `${process.env['HOTCAST_PROJECT'] || 'hotcast'}-${service}`;
}

/** What a connection to NATS needs. */
export type NatsOptions = Pick<NodeConnectionOptions, 'servers' | 'authenticator' | 'tls'>;

type BindMount = Parameters<HardenedContainer['withBindMounts']>[0][number];

const CLUSTER_LABEL = 'hotcast.test.cluster';
const NATS_IMAGE = process.env['NATS_IMAGE'] || 'nats:2.15-alpine';
const SOCKET = process.env['DOCKER_SOCKET'] || '/var/run/docker.sock';
const MODULES = resolve(import.meta.dirname, '../../modules');
const NATS_CONF = resolve(import.meta.dirname, '../../nats/nats.conf');

/** A file-system for a container that can write nowhere else. */
const TMPFS = { '/tmp': 'size=64m', '/run/hotcast': 'uid=1000,gid=1000,size=1m' };

const GIB = 2 ** 30;

/** A container is up, or a line is in a log, within this time (milliseconds). */
const DEADLINE = 60_000;

type Environment = Readonly<Record<string, string>>;

/** What a cluster starts with. */
export interface ClusterOptions {
  readonly nodes: number;
  /** Has all talk to NATS by TLS. */
  readonly tls?: boolean;
  /** Has NATS know a second cookie from the start. */
  readonly neighbour?: boolean;
  /** Variables of the nodes that differ from their defaults. */
  readonly node?: Environment;
  /** Variables of the controller that differ from their defaults. */
  readonly controller?: Environment;
}

/** A whole cluster in a network of its own, with the containers that docker-compose.yml has. */
export class Cluster extends Hotcast implements AsyncDisposable {
  readonly id = `hotcast-test-${randomBytes(4).toString('hex')}`;
  /** Its name and address; no other cluster has it. */
  readonly cookie = `cookie-${randomBytes(4).toString('hex')}`;
  readonly #folder = mkdtempSync(join(tmpdir(), 'hotcast-test-'));
  readonly #modules = join(this.#folder, 'modules');
  readonly keys = new ClusterKeys(join(this.#folder, 'keys'));
  readonly #containers = new Map<string, StartedTestContainer>();
  readonly #options: ClusterOptions;
  #nodes = 0;

  private constructor(options: ClusterOptions) {
    super();
    this.#options = options;
    chmodSync(this.#folder, 0o755);
    mkdirSync(this.#modules);
    for (const file of readdirSync(MODULES)) copyFileSync(join(MODULES, file), join(this.#modules, file));
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    const { nodes, tls = false, neighbour = false } = options;
    try {
      if (tls) await cluster.keys.useTls([`${cluster.id}-nats`, 'localhost']);
      cluster.keys.make(cluster.cookie);
      if (neighbour) cluster.keys.make(cluster.neighbour);
      await cluster.#startAll(nodes);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeLabelled(`${CLUSTER_LABEL}=${this.id}`);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs `hotcast …` as a user does, in the controller's container; but what is pushed here is written without types. */
  async hotcast(...args: readonly string[]): Promise<Ended> {
    const checks = args[0] === 'push' || args[0] === 'compile';
    return this.#container('controller').exec(['hotcast', ...args, ...(checks ? ['--no-check'] : [])]);
  }

  /** The cookie of another cluster on the same NATS. */
  get neighbour(): string {
    return `${this.cookie}-2`;
  }

  /** The names of the nodes that were added, as the containers' numbers make them. */
  get names(): string[] {
    return Array.from({ length: this.#nodes }, (_, index) => replicaName(index + 1));
  }

  /** Writes `<name>.ts` into the cluster's modules folder. */
  writeModule(name: string, source: string): void {
    this.writeFile(`${name}.ts`, source);
  }

  /** Writes a file into the cluster's modules folder. */
  writeFile(path: string, text: string): void {
    const file = join(this.#modules, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** Starts so many more nodes; resolves when they are ready. */
  async addNodes(count: number): Promise<void> {
    const first = this.#nodes + 1;
    this.#nodes += count;
    const replicas = Array.from({ length: count }, (_, index) => first + index);
    await all(replicas.map(replica => this.addNode(replicaName(replica), `node-${replica}`)));
  }

  /** Starts one node; its container's name ends in `suffix`. */
  async addNode(
    name: string,
    suffix: string,
    { cookie = this.cookie }: { readonly cookie?: string } = {},
  ): Promise<void> {
    await this.#makeKeys(cookie);
    const container = this.#configure(imageOf('node'), suffix, cookie)
      .withMemory(GIB)
      .withTmpFs(TMPFS)
      .withEnvironment({ ...this.#options.node })
      .withBindMounts([this.#keysOf('node'), this.#trust('ro')])
      .withLabels({ 'hotcast.node': cookie });
    if (cookie === this.cookie) container.withSharedName(this.id, 'node');
    await this.#start(name, container);
  }

  /** Starts the proxy; gives where this machine reaches it, as `127.0.0.1:32768`. */
  async addProxy(): Promise<string> {
    await this.#start('proxy', asProxy(this.#configure(PROXY_IMAGE, 'proxy', this.cookie)));
    return `127.0.0.1:${await this.#published('proxy', 8080)}`;
  }

  /** Starts a second controller, which has another cookie; gives a way to run `hotcast …` in it. */
  async addController(cookie: string): Promise<(...args: readonly string[]) => Promise<Ended>> {
    await this.#makeKeys(cookie);
    const container = await this.#start(`controller-${cookie}`, this.#controller(`controller-${cookie}`, cookie));
    return (...args: readonly string[]) => container.exec(['hotcast', ...args]);
  }

  /** Starts a second controller of this cluster, with a modules folder of its own. */
  async addRival(): Promise<Rival> {
    const folder = join(this.#folder, 'rival');
    mkdirSync(folder);
    const image = this.#controller('rival', this.cookie, folder);
    const container = await this.#start('rival', image);
    return {
      writeModule: (name, source) => writeFileSync(join(folder, `${name}.ts`), source),
      push: async (module, ...options) => {
        const { stdout } = await container.exec(['hotcast', 'push', module, '--no-check', ...options, '--json']);
        return JSON.parse(stdout) as PushResult;
      },
    };
  }

  /** Runs a program in a container. */
  async exec(name: string, command: readonly string[]): Promise<Ended> {
    return this.#container(name).exec([...command]);
  }

  /** Ends a container with SIGKILL; the engine does not start it again. */
  async kill(name: string): Promise<void> {
    await (await this.container(name)).kill();
  }

  /** Starts a container that was ended, and waits until it is ready. */
  async startAgain(name: string): Promise<void> {
    const startedAt = Date.now();
    await (await this.container(name)).start();
    await this.logged(name, ({ msg }) => msg === 'ready', startedAt);
  }

  /** Takes a container off the network; its processes run on. */
  async cutOff(name: string): Promise<void> {
    const network = (await engine()).getNetwork(this.id);
    await network.disconnect({ Container: this.#container(name).getId() });
  }

  /** Joins a container to the network again. */
  async join(name: string): Promise<void> {
    await (await engine()).getNetwork(this.id).connect({ Container: this.#container(name).getId() });
  }

  /** The engine's handle of a container: that of a node by its name, `nats`, `roster` or `controller`. */
  async container(name: string): Promise<Dockerode.Container> {
    return (await engine()).getContainer(this.#container(name).getId());
  }

  /** How this machine reaches the cluster's NATS, with all rights. */
  async natsOptions(): Promise<NatsOptions> {
    const servers = `nats://localhost:${await this.#published('nats', 4222)}`;
    const { authority: ca, tester: authenticator } = this.keys;
    return { servers, authenticator, ...(ca === null ? {} : { tls: { ca } }) };
  }

  /** What a container has logged until now. */
  async logsOf(name: string): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    const reading = { follow: false, signal: AbortSignal.timeout(DEADLINE) };
    for await (const line of logLines(await this.container(name), reading)) lines.push(...parsed(line));
    return lines;
  }

  /** Waits until a container logs a line that fits; lines that are there already count, those before `after` do not. */
  async logged(name: string, fits: (line: LogLine) => boolean, after = 0): Promise<LogLine> {
    const container = await this.container(name);
    const reading = { follow: true, signal: AbortSignal.timeout(DEADLINE) };
    do {
      for await (const text of logLines(container, reading)) {
        const found = parsed(text).find(line => Date.parse(line.time) >= after && fits(line));
        if (found !== undefined) return found;
      }
      // A log that is followed ends with the process, and the engine may be about to start it again.
    } while (!reading.signal.aborted && (await isAlive(container)));
    throw new Error(`${name} stopped, or did not log what was waited for within ${DEADLINE} ms`);
  }

  async #startAll(nodes: number): Promise<void> {
    await createNetwork(this.id, { [CLUSTER_LABEL]: this.id });
    const nats = this.#configure(NATS_IMAGE, 'nats', this.cookie)
      .withCommand(['-c', '/etc/nats/nats.conf'])
      .withBindMounts([
        { source: NATS_CONF, target: '/etc/nats/nats.conf', mode: 'ro' },
        { source: this.keys.folder('nats'), target: '/etc/nats/keys', mode: 'ro' },
      ])
      .withAnonymousVolume('/data')
      .withLoopbackPort(4222)
      .withTmpFs({ '/tmp': 'size=16m' })
      .withMemory(GIB)
      .withWaitStrategy(Wait.forLogMessage('Server is ready'));
    const roster = this.#configure(imageOf('roster'), 'roster', this.cookie)
      .withUser('0:0')
      .withBindMounts([{ source: SOCKET, target: '/var/run/docker.sock' }, this.#keysOf('roster')])
      .withEnvironment({ NODE_LABELS: `${CLUSTER_LABEL}=${this.id},hotcast.node=${this.cookie}` });
    const authCallout = this.#configure(imageOf('auth-callout'), 'auth-callout', this.cookie).withBindMounts([
      this.#keysOf('auth-callout'),
    ]);
    await all([
      this.#start('nats', nats),
      this.#start('auth-callout', authCallout),
      this.#start('roster', roster),
      this.#start('controller', this.#controller('controller', this.cookie)),
      this.addNodes(nodes),
    ]);
    await this.nodes('--wait', String(nodes), '--timeout', '60');
  }

  #controller(suffix: string, cookie: string, folder = this.#modules): HardenedContainer {
    return this.#configure(imageOf('controller'), suffix, cookie)
      .withEnvironment({ ...this.#options.controller })
      .withMemory(GIB)
      .withTmpFs(TMPFS)
      .withBindMounts([
        { source: folder, target: '/work/modules', mode: 'ro' },
        this.#keysOf('controller'),
        this.#trust('rw'),
      ]);
  }

  #keysOf(role: Role | 'auth-callout'): BindMount {
    return { source: this.keys.folder(role), target: '/run/keys', mode: role === 'controller' ? 'rw' : 'ro' };
  }

  #trust(mode: 'ro' | 'rw'): BindMount {
    return { source: this.keys.folder('trust'), target: '/run/trust', mode };
  }

  /** Has NATS know the users of one more cookie, by a restart. */
  async #makeKeys(cookie: string): Promise<void> {
    if (!this.keys.make(cookie)) return;
    // It can't read who else may connect while it runs.
    await this.#container('nats').restart();
  }

  #configure(image: string, suffix: string, cookie: string): HardenedContainer {
    return new HardenedContainer(image, `${this.id}-${suffix}`)
      .withLabels({ [CLUSTER_LABEL]: this.id })
      .withEnvironment({ COOKIE: cookie, NATS_URL: `nats://${this.id}-nats:4222` })
      .withNetworkMode(this.id)
      .withWaitStrategy(Wait.forLogMessage('"msg":"ready"'));
  }

  async #published(name: string, port: number): Promise<string | undefined> {
    const { NetworkSettings } = await (await this.container(name)).inspect();
    return NetworkSettings.Ports[`${port}/tcp`]?.[0]?.HostPort;
  }

  async #start(name: string, container: HardenedContainer): Promise<StartedTestContainer> {
    const started = await container.withStartupTimeout(DEADLINE).start();
    this.#containers.set(name, started);
    return started;
  }

  #container(name: string): StartedTestContainer {
    const container = this.#containers.get(name);
    if (container === undefined) throw new TypeError(`the cluster has no container ${name}`);
    return container;
  }
}

/** Waits for all, also when one fails: nothing may still be starting when the cluster is removed. */
async function all(starts: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(starts)).find(each => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function isAlive(container: Dockerode.Container): Promise<boolean> {
  const { Running, Restarting } = (await container.inspect()).State;
  return Running || Restarting;
}

function parsed(text: string): LogLine[] {
  return text.startsWith('{') ? [JSON.parse(text) as LogLine] : [];
}
