import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';

import { run } from '../command.ts';
import { takeDown } from '../take-down.ts';
import { plainSource, readTally } from './tally.ts';
import type { Counters, Served } from './under-load.ts';

const COMPOSE_FILE = resolve(import.meta.dirname, 'compose.yml');

/** All nodes answer within this time, or something is wrong (milliseconds). */
const DEADLINE = 120_000;

/** Containers with an ordinary Node.js server each, behind the proxy that Hotcast has; removed at the end. */
export class PlainFleet implements Served, AsyncDisposable {
  readonly nodes: number;
  readonly #project: string;
  readonly #code = mkdtempSync(join(tmpdir(), 'hotcast-bench-'));
  #version = 0;
  #watchPort = 0;
  #port = 0;
  #startedIn = NaN;

  private constructor(project: string, nodes: number) {
    this.#project = project;
    this.nodes = nodes;
    chmodSync(this.#code, 0o755);
  }

  static async start(project: string, nodes: number): Promise<PlainFleet> {
    const fleet = new PlainFleet(project, nodes);
    try {
      await fleet.#start();
      return fleet;
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** From the order to start nodes and proxy until every node answered (milliseconds). The network was there. */
  get startedIn(): number {
    return this.#startedIn;
  }

  /** The version that was written last. */
  get version(): number {
    return this.#version;
  }

  /** The proxy's port on 127.0.0.1. */
  get port(): number {
    return this.#port;
  }

  /** Writes the next version of the code, which nodes run once they start again. */
  writeNext(): number {
    this.#version += 1;
    writeFileSync(join(this.#code, 'tally.mjs'), plainSource(this.#version));
    return this.#version;
  }

  counters(): Promise<Counters> {
    return this.answered(0);
  }

  /** Resolves when every node has answered with this version or a later one: its counter in that answer. */
  async answered(version: number): Promise<Counters> {
    const signal = AbortSignal.timeout(DEADLINE);
    const response = await fetch(`http://127.0.0.1:${this.#watchPort}/${version}/${this.nodes}`, { signal });
    const counters = new Map<string, number>();
    if (response.body === null) throw new TypeError('the watch gave no body');
    for await (const line of createInterface({ input: Readable.fromWeb(response.body) })) {
      const tally = readTally(line);
      if (tally !== null) counters.set(tally.node, tally.count);
    }
    if (counters.size < this.nodes) throw new Error(`${counters.size} of ${this.nodes} nodes run version ${version}`);
    return counters;
  }

  /** Runs Compose on the nodes: `compose('restart', 'node')`. */
  async compose(...args: string[]): Promise<string> {
    return run('docker', ['compose', '--file', COMPOSE_FILE, '--project-name', this.#project, ...args], {
      CODE_DIR: this.#code,
      NODES: String(this.nodes),
      HTTP_PORT: '0',
    });
  }

  /** The nodes' containers, by id. */
  async containers(): Promise<string[]> {
    return (await this.compose('ps', '--quiet', 'node')).trim().split('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remove();
    rmSync(this.#code, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    // What a run that was killed left there.
    await this.#remove();
    const version = this.writeNext();
    await this.compose('up', '--detach', '--no-deps', 'watch');
    this.#watchPort = await this.#portOf('watch');
    const startedAt = performance.now();
    await this.compose('up', '--detach', '--no-deps', 'node', 'proxy');
    await this.answered(version);
    this.#startedIn = performance.now() - startedAt;
    this.#port = await this.#portOf('proxy');
  }

  async #remove(): Promise<void> {
    await takeDown((...words) => this.compose(...words));
  }

  async #portOf(service: string): Promise<number> {
    return Number((await this.compose('port', service, '8080')).split(':').at(-1));
  }
}
