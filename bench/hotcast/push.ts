import type { PushResult } from '../../controller/src/api/results.ts';
import type { Contender, PushSample } from '../contender.ts';
import type { ControlLine } from '../control-line.ts';
import { type HotcastAddress, ModuleFile } from '../hotcast-fleet.ts';
import { subjectSource } from './subject.ts';

/**
 * A complete push by Hotcast: signed, prepared on every node, written to the stream, committed, and loaded on every node
 * with every answer in hand. Timed in the controller, after the module was compiled: Erlang's is, too.
 */
export class HotcastPush implements Contender {
  readonly name = 'Hotcast';
  readonly #fleet: HotcastAddress;
  readonly #nodes: number;
  readonly #line: ControlLine;
  readonly #files = new Map<number, ModuleFile>();
  #version = 0;

  /** @param line is the giver's to close. */
  constructor(fleet: HotcastAddress, nodes: number, line: ControlLine) {
    this.#fleet = fleet;
    this.#nodes = nodes;
    this.#line = line;
  }

  async push(bytes: number): Promise<PushSample> {
    const module = `subject${bytes}`;
    const file = this.#files.get(bytes) ?? new ModuleFile(this.#fleet, module);
    this.#files.set(bytes, file);
    this.#version += 1;
    file.write(subjectSource(bytes, this.#version));
    return pushSample(await this.#line.push(module), this.#nodes);
  }

  /** Takes the modules off the nodes again. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const [bytes, file] of this.#files) {
      await this.#line.remove(`subject${bytes}`);
      file[Symbol.dispose]();
    }
  }
}

/**
 * What counts of a push: all that the controller did once the module was compiled.
 *
 * @throws Error when it was not committed, or not all of so many nodes loaded it.
 */
export function pushSample({ outcome, detail, nodes: outcomes, times }: PushResult, nodes: number): PushSample {
  const loaded = outcomes.filter(({ status }) => status === 'loaded').length;
  if (outcome !== 'committed' || loaded !== nodes) {
    const why = detail === '' ? '' : ` (${detail})`;
    throw new Error(`the push was ${outcome}${why}, and ${loaded} of ${nodes} nodes loaded it`);
  }
  const { compile: _, skew, ...phases } = times;
  return { ms: sum(Object.values(phases)), skew, phases };
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
