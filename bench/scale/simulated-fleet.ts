import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import type { Contender, PushSample } from '../contender.ts';
import { natsUsers } from './nats-users.ts';
import type { Work } from './simulate.ts';
import type { Grown, Order, Pushed, Reply, Returned, Usage } from './orders.ts';

const run = promisify(execFile);

const PROJECT = resolve(import.meta.dirname, '../..');

/** Marks the containers as those of this process. */
const LABEL = `--label=hotcast.bench=${process.pid}`;

/** How long the processes may take to end on their own (milliseconds). */
const LEAVING = 10_000;

export interface SimulationOptions {
  readonly nodes: number;
  /** Default: 4. */
  readonly processes?: number;
  /** Who does the work of a node. */
  readonly work: Work;
  /** The images of the nodes' base and of NATS. */
  readonly images: { readonly node: string; readonly nats: string };
  /** A folder where each process leaves a CPU profile of its life; default: nowhere. */
  readonly profiles?: string;
}

/**
 * Nodes that are simulated, many in a process, with the code of real ones and a NATS connection each, beside a real NATS and
 * the code of the real controller. Two containers in one network: NATS, and all else; it is spoken over loopback.
 */
export class SimulatedFleet implements Contender {
  readonly name = 'Hotcast, simulated';
  readonly #id: string;
  readonly #folder: string;
  readonly #driver: ChildProcess;
  readonly #replies: AsyncIterator<string>;

  private constructor(id: string, folder: string, driver: ChildProcess) {
    this.#id = id;
    this.#folder = folder;
    this.#driver = driver;
    if (driver.stdout === null) throw new TypeError('the driver has no output');
    this.#replies = createInterface({ input: driver.stdout })[Symbol.asyncIterator]();
  }

  /** Resolves when all nodes answer. */
  static async start({ nodes, processes = 4, work, images, profiles }: SimulationOptions): Promise<SimulatedFleet> {
    const id = `hotcast-scale-${randomBytes(4).toString('hex')}`;
    const folder = mkdtempSync(join(tmpdir(), 'hotcast-scale-'));
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'accounts.conf'), natsUsers());
    const program = ['bench/scale/main.ts', `--outfile=${folder}/scale.mjs`];
    await run('npm', ['run', '--silent', 'bundle', '--', ...program], { cwd: PROJECT });
    await run('docker', ['run', '--detach', ...natsArguments(id, folder), images.nats, '-c', '/etc/nats/nats.conf']);
    const flags = profiles === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir=/profiles'];
    const volumes = profiles === undefined ? [] : [`--volume=${profiles}:/profiles`];
    const node = ['node', '--no-compilation-cache', '--max-old-space-size=4096', ...flags];
    const driver = spawn(
      'docker',
      [
        'run',
        ...driverArguments(id, folder),
        ...volumes,
        images.node,
        ...node,
        '/bench/scale.mjs',
        'driver',
        String(processes),
        work,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const fleet = new SimulatedFleet(id, folder, driver);
    try {
      await fleet.grow(nodes);
      return fleet;
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Adds nodes until there are so many. */
  async grow(nodes: number): Promise<Grown> {
    return this.#order<Grown>({ type: 'grow', nodes });
  }

  async push(bytes: number): Promise<PushSample> {
    const { ms, skew, ask, prepare, commit } = await this.#order<Pushed>({ type: 'push', bytes });
    return { ms, skew, phases: { ask, prepare, commit, rest: ms - ask - prepare - commit } };
  }

  /** The bare round trip with the bytes of a push: published once, answered by every node's connection (milliseconds). */
  async bare(bytes: number): Promise<number> {
    return (await this.#order<Returned>({ type: 'bare', bytes })).ms;
  }

  /** What every process has used since it started. */
  async usage(): Promise<Usage> {
    return this.#order<Usage>({ type: 'usage' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = this.#driver.exitCode === null ? once(this.#driver, 'exit') : null;
    // On its own, so that profiles are written.
    this.#driver.stdin?.end();
    await Promise.race([gone, new Promise(late => setTimeout(late, LEAVING))]);
    await run('docker', ['rm', '--force', '--volumes', `${this.#id}-driver`, this.#id]);
    await gone;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #order<T>(order: Order): Promise<T> {
    this.#driver.stdin?.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await this.#replies.next();
    if (done === true) throw new Error('the simulation has ended; what it wrote says why');
    const reply = JSON.parse(value) as Reply<T>;
    if (reply.status === 'failed') throw new Error(reply.message);
    return reply.answer;
  }
}

function natsArguments(id: string, folder: string): string[] {
  const volumes = [
    '--volume=/data',
    `--volume=${PROJECT}/nats/nats.conf:/etc/nats/nats.conf:ro`,
    `--volume=${folder}:/etc/nats/keys:ro`,
  ];
  return ['--rm', `--name=${id}`, LABEL, ...volumes];
}

/** It shares NATS's network, and sees its process. */
function driverArguments(id: string, folder: string): string[] {
  const shared = [`--network=container:${id}`, `--pid=container:${id}`, `--volume=${folder}:/bench:ro`];
  return ['--rm', '--interactive', `--name=${id}-driver`, LABEL, ...shared];
}
