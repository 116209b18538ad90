import { type Ran, shell } from './shell.ts';

/** A step of the walk gave another answer than it should. */
export class WrongAnswer extends Error {}

/** Prints the walk as it goes: numbered steps, each with its commands, their answers, and a tick for each check. */
export class Transcript {
  #steps = 0;
  #title = '';
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Begins a step. `erlang`: how the walk does it there. */
  step(title: string, erlang: string): void {
    this.#steps += 1;
    this.#title = title;
    this.#print(`\n${String(this.#steps).padStart(2)}  ${title}`);
    this.#print(`    Erlang: ${erlang}`);
  }

  /** Shows a command, runs it, and shows its answer. */
  async run(command: string): Promise<Ran> {
    this.#print(`    $ ${command}`);
    const ran = await shell(command);
    this.#show(ran.output);
    return ran;
  }

  /** Shows something that was done without a command. */
  note(text: string): void {
    this.#print(`    # ${text}`);
  }

  /**
   * Ticks what is true.
   *
   * @throws WrongAnswer which names the step.
   */
  check(what: string, holds: boolean): void {
    if (!holds) throw new WrongAnswer(`step ${this.#steps} (${this.#title}): expected ${what}`);
    this.#print(`    ✓ ${what}`);
  }

  get steps(): number {
    return this.#steps;
  }

  #show(output: string): void {
    if (output === '') return;
    for (const line of output.split('\n')) this.#print(`    ${line}`);
  }
}
