import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { HotcastCommands, type ProcessOutput } from '../../../packages/testing/src/fleet/hotcast-commands.ts';
import { ROOT, run } from '../shell.ts';
import type { Machines } from './machines.ts';

/** The name of the stack. */
const STACK = 'hotcast';

const BUILT = ['node', 'controller', 'roster', 'auth-callout', 'console'] as const;

/** The images that the stack begins with. */
const FIRST: Release = { version: 'first', project: process.env['EARLIER'] || ownProject() };

/** How long a command of `hotcast` can take (seconds). */
const COMMAND_SECONDS = '60';

/** Images of Hotcast, in the registry under the name of a version. */
export interface Release {
  readonly version: string;
  /** What the names of the images on this machine begin with; default: those of this repository. */
  readonly project?: string;
  /** A line that is added to the Dockerfile of the nodes. */
  readonly node?: string;
}

export interface StackOptions {
  readonly nodes: number;
  /** How many nodes an update replaces at once. */
  readonly atOnce?: number;
}

/** A fleet of Hotcast on machines that are simulated. Its commands run in its controller, wherever that is. */
export class Stack extends HotcastCommands {
  readonly #machines: Machines;
  readonly #options: StackOptions;
  readonly #keys: string;
  readonly #modules: string;
  #version = FIRST.version;

  private constructor(machines: Machines, options: StackOptions) {
    super();
    this.#machines = machines;
    this.#options = options;
    this.#keys = join(machines.folder, 'keys');
    this.#modules = join(machines.folder, 'modules');
  }

  /** Gives the machines images, makes keys, and deploys the stack. It has then to start: {@link settled}. */
  static async deploy(machines: Machines, options: StackOptions): Promise<Stack> {
    const stack = new Stack(machines, options);
    await stack.#giveImages(FIRST);
    await machines.give(process.env['NATS_IMAGE'] ?? 'nats:2.15-alpine', 'nats:given');
    await machines.give(process.env['PROXY_IMAGE'] ?? 'haproxy:3.2-alpine', 'haproxy:given');
    await stack.#makeKeys();
    cpSync(join(ROOT, 'modules'), stack.#modules, {
      recursive: true,
      filter: path => !path.endsWith('node_modules'),
    });
    writeFileSync(join(machines.folder, 'modules.json'), JSON.stringify(withModules(stack.#modules)));
    await stack.#deploy();
    return stack;
  }

  /** Changes the source of a module. */
  writeModule(module: string, source: string): void {
    writeFileSync(join(this.#modules, `${module}.ts`), source);
  }

  /** Updates all services of Hotcast to the images of a release, or back to the first ones. */
  async update(release: Release = FIRST): Promise<void> {
    if (release.version !== FIRST.version) await this.#giveImages(release);
    this.#version = release.version;
    await this.#deploy();
  }

  /** Runs a command of a manager that is there. */
  async manager(...args: string[]): Promise<string> {
    const [machine = 1] = this.#machines.present;
    return (await this.#machines.docker(machine, ...args)).stdout;
  }

  /** The services that have fewer tasks than they should, `node 4/6`, or whose update goes on. */
  async unsettled(): Promise<readonly string[]> {
    const listed = await this.manager('service', 'ls', '--format', '{{.Name}} {{.Replicas}}');
    const states = await this.manager(
      'service',
      'inspect',
      '--format',
      '{{.Spec.Name}} {{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}',
      ...listed
        .split('\n')
        .filter(line => line !== '')
        .map(line => line.split(' ')[0] ?? ''),
    );
    const fewer = listed
      .split('\n')
      .map(line => /^(\S+) (\d+)\/(\d+)/.exec(line))
      .flatMap(match =>
        match === null || Number(match[2]) >= Number(match[3]) ? [] : [`${match[1]} ${match[2]}/${match[3]}`],
      );
    return [...fewer, ...states.split('\n').filter(line => /(?:updating|rollback_started)$/.test(line))];
  }

  /** Waits until all tasks run that should. @throws Error with those that do not. */
  async settled(seconds: number): Promise<void> {
    const deadline = performance.now() + seconds * 1_000;
    for (;;) {
      const left = await this.unsettled().catch((error: unknown) => [String(error)]);
      if (left.length === 0) return;
      if (performance.now() > deadline) throw new Error(`after ${seconds} s: ${left.join(', ')}`);
      await sleep(500);
    }
  }

  /** The containers of a service on the machines that are there, the newest first. */
  async containersOf(service: string): Promise<readonly { readonly machine: number; readonly id: string }[]> {
    const filter = `label=com.docker.swarm.service.name=${STACK}_${service}`;
    const format = '{{.CreatedAt}}\t{{.ID}}';
    const found = await Promise.all(
      this.#machines.present.map(async machine => {
        const { stdout } = await this.#machines.tryDocker(machine, 'ps', '--filter', filter, '--format', format);
        return stdout.split('\n').flatMap(line => {
          const [at = '', id] = line.split('\t');
          return id === undefined ? [] : [{ machine, id, at }];
        });
      }),
    );
    return found.flat().toSorted((a, b) => b.at.localeCompare(a.at));
  }

  /** Waits until the health of each container of a service was checked so often that Swarm would have ended it if it were bad. */
  async checksOfHealth(service: string): Promise<void> {
    const since = new Date().toISOString();
    const format = '{{range .State.Health.Log}}{{.Start.UTC.Format "2006-01-02T15:04:05.000Z"}} {{end}}';
    for (const { machine, id } of await this.containersOf(service)) {
      for (;;) {
        const { stdout } = await this.#machines.docker(machine, 'inspect', '--format', format, id);
        // It has the last five.
        if (
          stdout
            .trim()
            .split(' ')
            .every(at => at > since)
        )
          break;
        await sleep(500);
      }
    }
  }

  /** Which nodes came and went, and when (milliseconds since 1970), as the controller has seen it. */
  async nodeChanges(): Promise<readonly NodeChange[]> {
    const { stdout } = await this.hotcast('events', '--json');
    const events = stdout.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line) as NodeEvent]));
    return events.flatMap(({ event }) => (event?.kind === 'node' ? [event] : []));
  }

  override async hotcast(...args: readonly string[]): Promise<ProcessOutput> {
    const [controller] = await this.containersOf('controller');
    if (controller === undefined) return { exitCode: 2, stdout: '', stderr: 'no controller runs' };
    const host = this.#machines.hostOf(controller.machine);
    return run('timeout', [COMMAND_SECONDS, 'docker', '-H', host, 'exec', controller.id, 'hotcast', ...args], {});
  }

  /** The servers of NATS that each of them is connected to, by name. */
  async routes(): Promise<ReadonlyMap<string, readonly string[]>> {
    const servers = await this.containersOf('nats');
    const routes = await Promise.all(
      servers.map(async ({ machine, id }) => {
        const url = 'http://127.0.0.1:8222/routez';
        const { stdout } = await this.#machines.docker(machine, 'exec', id, 'wget', '-qO-', url);
        const { server_name: name, routes: all } = JSON.parse(stdout) as Routes;
        return [name, [...new Set(all.map(({ remote_name: remote }) => remote))].toSorted()] as const;
      }),
    );
    return new Map(routes);
  }

  async #giveImages({ version, project = ownProject(), node }: Release): Promise<void> {
    for (const name of BUILT) await this.#machines.give(`${project}-${name}`, `hotcast/${name}:${version}`);
    if (node === undefined) return;
    const image = `hotcast-test-${version}`;
    const build = 'printf "FROM %s\\n%s\\n" "$1" "$2" | docker build --quiet --tag "$3" -';
    await done(run('bash', ['-c', build, 'bash', `${project}-node`, node, image], {}));
    await this.#machines.give(image, `hotcast/node:${version}`);
    await done(run('docker', ['rmi', image], {}));
  }

  async #makeKeys(): Promise<void> {
    await done(run('setup/hotcast', ['keys', 'make', this.#keys, '--tls', '--hosts', 'nats'], {}));
  }

  async #deploy(): Promise<void> {
    const files = [
      'docker-stack.yml',
      join(this.#keys, 'dino.stack.json'),
      join(this.#machines.folder, 'modules.json'),
    ];
    const [machine = 1] = this.#machines.present;
    const args = files.flatMap(file => ['--compose-file', file]);
    const { registry } = this.#machines;
    await done(
      run('docker', ['-H', this.#machines.hostOf(machine), 'stack', 'deploy', ...args, STACK], {
        HOTCAST_KEYS: this.#keys,
        HOTCAST_IMAGES: `${registry}/hotcast`,
        HOTCAST_VERSION: this.#version,
        NATS_IMAGE: `${registry}/nats:given`,
        PROXY_IMAGE: `${registry}/haproxy:given`,
        DOCKER_SOCKET: this.#machines.socket,
        NODES: String(this.#options.nodes),
        NODE_UPDATE_PARALLELISM: String(this.#options.atOnce ?? 1),
        HEALTH_INTERVAL: '2s',
      }),
    );
  }
}

interface NodeChange {
  readonly node: string;
  readonly at: number;
}

interface NodeEvent {
  readonly event?: NodeChange & { readonly kind: string };
}

interface Routes {
  readonly server_name: string;
  readonly routes: readonly { readonly remote_name: string }[];
}

/** What the names of the images begin with that Compose builds of this repository. */
function ownProject(): string {
  return process.env['HOTCAST_PROJECT'] || 'hotcast';
}

/** The controller compiles the modules of a folder that all machines have. */
const withModules = (folder: string) => ({
  services: {
    controller: { environment: { MODULES_DIR: '/work/modules' }, volumes: [`${folder}:/work/modules:ro`] },
  },
});

async function done(running: Promise<ProcessOutput>): Promise<void> {
  const { exitCode, stdout, stderr } = await running;
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${stderr}${stdout}`);
}
