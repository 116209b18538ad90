import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { HotcastCommands, type ProcessOutput } from '../../../packages/testing/src/fleet/hotcast-commands.ts';
import { ROOT, run } from '../shell.ts';
import type { Machines } from '../swarm/machines.ts';

const PROJECT = 'hotcast';
const BUILT = ['keygen', 'node', 'controller', 'roster', 'auth-callout'] as const;
const VERSION = 'first';
/** The machine with the controller. */
const HUB = 1;

/** How long a command of `hotcast`, and one of Compose, can take (seconds). */
const COMMAND_SECONDS = '60';
const COMPOSE_SECONDS = '120';

/** A fleet of plain Compose on machines that are simulated, of which the first is the hub. */
export class LinkedHosts extends HotcastCommands {
  readonly #machines: Machines;
  readonly #modules: string;
  readonly #hubEnv: Readonly<Record<string, string>>;
  readonly #machineEnv: Readonly<Record<string, string>>;

  private constructor(machines: Machines) {
    super();
    this.#machines = machines;
    this.#modules = join(machines.folder, 'modules');
    const [hub = {}, machine = {}] = environmentsInPage(machines.addressOf(HUB));
    this.#hubEnv = hub;
    this.#machineEnv = machine;
  }

  /** Gives the machines images and modules. Nothing runs yet. */
  static async prepare(machines: Machines): Promise<LinkedHosts> {
    const hosts = new LinkedHosts(machines);
    for (const name of BUILT) await machines.give(imageOf(name), `hotcast/${name}:${VERSION}`);
    await machines.give(process.env['NATS_IMAGE'] ?? 'nats:2.15-alpine', 'nats:given');
    await Promise.all(machines.all.map(machine => hosts.#pull(machine)));
    cpSync(join(ROOT, 'modules'), hosts.#modules, { recursive: true, filter: path => !path.endsWith('node_modules') });
    return hosts;
  }

  nameOf(machine: number): string {
    return machine === HUB ? 'hub' : `machine-${machine}`;
  }

  /** Starts the hub, or makes it what it should be: as many nodes as that. */
  async upHub(nodes: number): Promise<void> {
    await this.#up(HUB, {}, nodes, 'auth-callout', 'controller');
  }

  /** Starts the same host without other machines. */
  async upAlone(nodes: number): Promise<void> {
    await this.#up(HUB, { COMPOSE_FILE: 'docker-compose.yml' }, nodes, 'auth-callout', 'controller');
  }

  /** The same of another machine. */
  async upMachine(machine: number, nodes: number, offset: number): Promise<void> {
    await this.#up(machine, { REPLICA_OFFSET: String(offset) }, nodes);
  }

  /** Stops or starts a service of a machine. */
  async service(machine: number, verb: 'stop' | 'start', name: string): Promise<void> {
    await this.#compose(machine, {}, verb, name);
  }

  /** Changes the source of a module. */
  writeModule(module: string, source: string): void {
    writeFileSync(join(this.#modules, `${module}.ts`), source);
  }

  /** The addresses of the nodes of a machine. */
  async addresses(machine: number): Promise<string[]> {
    const ids = await this.#machines.docker(machine, 'ps', '--quiet', '--filter', 'label=hotcast.node');
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
    const found = await this.#machines.docker(machine, 'inspect', '--format', format, ...wordsOf(ids.stdout));
    return wordsOf(found.stdout);
  }

  /** The log of a service. */
  async logs(machine: number, name: string): Promise<string> {
    const { stdout, stderr } = await this.#machines.tryDocker(machine, 'logs', `${PROJECT}-${name}-1`);
    return stdout + stderr;
  }

  override hotcast(...args: readonly string[]): Promise<ProcessOutput> {
    const controller = ['exec', `${PROJECT}-controller-1`, 'hotcast'];
    return run('timeout', [COMMAND_SECONDS, 'docker', '-H', this.#machines.hostOf(HUB), ...controller, ...args], {});
  }

  /** Everything but the proxy and the console, which other tests have. */
  async #up(machine: number, env: Readonly<Record<string, string>>, nodes: number, ...more: string[]): Promise<void> {
    const services = ['keygen', 'nats', 'roster', 'node', ...more];
    await this.#compose(machine, env, 'up', '--detach', '--no-build', '--scale', `node=${nodes}`, ...services);
  }

  async #compose(machine: number, env: Readonly<Record<string, string>>, ...args: string[]): Promise<void> {
    const keys = join(this.#machines.folder, 'machine-keys');
    const own: Readonly<Record<string, string>> =
      machine === HUB ? { MACHINE_KEYS_DIR: keys } : { MACHINE_KEYS: join(keys, `${this.nameOf(machine)}.json`) };
    const { exitCode, stdout, stderr } = await run(
      'timeout',
      [COMPOSE_SECONDS, 'docker', '-H', this.#machines.hostOf(machine), 'compose', '--progress', 'plain', ...args],
      {
        COMPOSE_PROJECT_NAME: PROJECT,
        NATS_IMAGE: `${this.#machines.registry}/nats:given`,
        DOCKER_SOCKET: this.#machines.socket,
        MODULES_DIR: this.#modules,
        ...own,
        ...(machine === HUB ? this.#hubEnv : this.#machineEnv),
        ...env,
      },
    );
    if (exitCode !== 0) throw new Error(`docker compose ${args.join(' ')} on machine ${machine}: ${stderr}${stdout}`);
  }

  /** The engine of a machine gets the images under the names that Compose has for them. */
  async #pull(machine: number): Promise<void> {
    const { registry } = this.#machines;
    const host = this.#machines.hostOf(machine);
    for (const name of BUILT) {
      const given = `${registry}/hotcast/${name}:${VERSION}`;
      const pull = `docker -H ${host} pull --quiet ${given} && docker -H ${host} tag ${given} ${PROJECT}-${name}`;
      const { exitCode, stderr } = await run('timeout', [COMPOSE_SECONDS, 'bash', '-c', pull], {});
      if (exitCode !== 0) throw new Error(`${given} on machine ${machine}: ${stderr}`);
    }
  }
}

/** The image of a service, with the name that Compose gives it in this repository. */
const imageOf = (name: string): string => `${process.env['HOTCAST_PROJECT'] || 'hotcast'}-${name}`;

/** What `.env` has on the hub, and on another machine, as docs/many-machines.md says. @param hub the address of the hub. */
function environmentsInPage(hub: string): Record<string, string>[] {
  const page = readFileSync(join(ROOT, 'docs/many-machines.md'), 'utf8');
  return [...page.matchAll(/^ *```ini\n([\s\S]*?)^ *```$/gm)].map(([, lines = '']) =>
    Object.fromEntries(
      wordsOf(lines.replaceAll('10.0.0.1', hub)).map(line => [
        line.slice(0, line.indexOf('=')),
        line.slice(line.indexOf('=') + 1),
      ]),
    ),
  );
}

const wordsOf = (text: string): string[] => text.split(/\s+/).filter(word => word !== '');
