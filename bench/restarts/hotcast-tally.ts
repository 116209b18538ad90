import { ControlLine } from '../control-line.ts';
import { type HotcastAddress, ModuleFile } from '../hotcast-fleet.ts';
import { hotcastSource, MODULE, readTally } from './tally.ts';
import type { Counters, Served } from './under-load.ts';

/** The function as a module on every node of a Hotcast cluster; taken off at the end. */
export class HotcastTally implements Served, AsyncDisposable {
  readonly port: number;
  readonly nodes: number;
  readonly #line: ControlLine;
  readonly #file: ModuleFile;
  #version = 0;

  constructor(address: HotcastAddress, nodes: number) {
    this.port = address.port;
    this.nodes = nodes;
    this.#line = new ControlLine(address.controller);
    this.#file = new ModuleFile(address, MODULE);
  }

  /** The version that was pushed last. */
  get version(): number {
    return this.#version;
  }

  /**
   * Writes and pushes the next version.
   *
   * @returns from the order to push until every node has loaded it and answered a call with it (milliseconds).
   * @throws Error when that is not so of every node.
   */
  async push(): Promise<number> {
    this.#file.write(hotcastSource((this.#version += 1)));
    const startedAt = performance.now();
    const { outcome, detail, nodes } = await this.#line.push(MODULE);
    const loaded = nodes.filter(({ status }) => status === 'loaded').length;
    if (outcome !== 'committed' || loaded !== this.nodes) {
      throw new Error(`push ${this.#version} was ${outcome} and loaded on ${loaded} of ${this.nodes} nodes: ${detail}`);
    }
    await this.counters();
    return performance.now() - startedAt;
  }

  /** Calls every node: its counter. @throws Error when one is silent, or on another version than the last. */
  async counters(): Promise<Counters> {
    const { nodes } = await this.#line.call(`${MODULE}.state()`);
    const tallies = nodes.map(answer => (answer.status === 'value' ? readTally(answer.json ?? '') : null));
    const current = tallies.filter(tally => tally?.version === this.#version);
    if (current.length !== this.nodes) {
      throw new Error(`${current.length} of ${this.nodes} nodes answer with version ${this.#version}`);
    }
    return new Map(current.map(tally => [tally?.node ?? '', tally?.count ?? 0]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#line.remove(MODULE);
    } finally {
      this.#line[Symbol.dispose]();
      this.#file[Symbol.dispose]();
    }
  }
}
