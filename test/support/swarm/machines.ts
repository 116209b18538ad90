import { spawnSync } from 'node:child_process';

import { ROOT, run } from '../shell.ts';

const SCRIPT = 'setup/offline/machines.sh';
const FOLDER = process.env['MACHINES_ROOT'] || '/tmp/hc-machines';

/** How long an engine can take to answer a question (seconds). */
const ANSWER_SECONDS = '10';

/** Machines that are simulated on this one, each with a Docker engine of its own. */
export class Machines implements AsyncDisposable {
  /** Beside those of the engines, the folder is free for others: all machines see it. */
  readonly folder = FOLDER;
  /** Where they reach the registry. */
  readonly registry = '10.77.0.100:5000';
  readonly all: readonly number[];
  readonly #away = new Set<number>();

  private constructor(count: number) {
    this.all = Array.from({ length: count }, (_, index) => index + 1);
  }

  /** Starts machines, all managers of one swarm, or without one. What a run before has left is removed first. */
  static async start(count: number, { swarm = true } = {}): Promise<Machines> {
    const machines = new Machines(count);
    try {
      await machines.#run({ SWARM: swarm ? '1' : '0' }, 'up', String(count));
      return machines;
    } catch (error) {
      await machines[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Removes all of them at once, before this process exits. */
  static removeAll(): void {
    spawnSync(SCRIPT, ['down'], { cwd: ROOT, env: { ...process.env, OWNER: String(process.pid), ROOT: FOLDER } });
  }

  /** Those with an engine and a network. */
  get present(): readonly number[] {
    return this.all.filter(machine => !this.#away.has(machine));
  }

  /** The socket of the engine, as its own containers mount it. */
  get socket(): string {
    return `${this.folder}/run/docker.sock`;
  }

  /** Puts an image of this machine's engine into the registry. */
  async give(image: string, name: string): Promise<void> {
    await this.#script('give', image, name);
  }

  /** Ends everything on a machine at once, as a power cut does. */
  async lose(machine: number): Promise<void> {
    this.#away.add(machine);
    await this.#script('lose', String(machine));
  }

  /** Starts the engine of a lost machine again. */
  async back(machine: number): Promise<void> {
    await this.#script('back', String(machine));
    this.#away.delete(machine);
  }

  /** Takes the network of a machine away. What runs there runs on. */
  async cut(machine: number): Promise<void> {
    this.#away.add(machine);
    await this.#script('cut', String(machine));
  }

  async join(machine: number): Promise<void> {
    await this.#script('join', String(machine));
    this.#away.delete(machine);
  }

  /** The machine that leads the swarm; null while none does. */
  async leader(): Promise<number | null> {
    const format = '{{.Hostname}} {{.ManagerStatus}}';
    for (const machine of this.present) {
      const { stdout } = await this.docker(machine, 'node', 'ls', '--format', format).catch(() => ({ stdout: '' }));
      const [, leader] = /^machine-(\d+) Leader$/m.exec(stdout) ?? [];
      if (leader !== undefined) return Number(leader);
    }
    return null;
  }

  /** Runs the command `docker` for the engine of a machine. @throws Error when it fails. */
  async docker(machine: number, ...args: string[]): Promise<{ readonly stdout: string }> {
    const { exitCode, stdout, stderr } = await this.tryDocker(machine, ...args);
    if (exitCode !== 0) throw new Error(`docker ${args.join(' ')} on machine ${machine}: ${stderr}${stdout}`);
    return { stdout };
  }

  tryDocker(machine: number, ...args: string[]): ReturnType<typeof run> {
    return run('timeout', [ANSWER_SECONDS, 'docker', '-H', this.hostOf(machine), ...args], {});
  }

  /** Where the other machines reach it. */
  addressOf(machine: number): string {
    return `10.77.0.${machine}`;
  }

  hostOf(machine: number): string {
    return `unix://${this.folder}/${machine}/run/docker.sock`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#script('down');
  }

  #script(...args: string[]): Promise<void> {
    return this.#run({}, ...args);
  }

  async #run(env: Readonly<Record<string, string>>, ...args: string[]): Promise<void> {
    const { exitCode, stderr } = await run(SCRIPT, args, { OWNER: String(process.pid), ROOT: this.folder, ...env });
    if (exitCode !== 0) throw new Error(`${SCRIPT} ${args.join(' ')}: ${stderr}`);
  }
}
