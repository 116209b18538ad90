import { shell, type ShellResult } from './shell.ts';

/** A command of the demo gave an unexpected answer. */
export class WrongAnswer extends Error {}

/** Prints the demo: numbered steps, each with its commands, their output, and a tick for each check. */
export class Transcript {
  #steps = 0;
  #title = '';
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Starts a step. `erlang`: the same step in the Erlang shell, if it has one. */
  step(title: string, erlang?: string): void {
    this.#steps += 1;
    this.#title = title;
    this.#print(`\n${String(this.#steps).padStart(2)}  ${title}`);
    if (erlang !== undefined) this.#print(`    Erlang: ${erlang}`);
  }

  /** Prints a command, runs it, and prints its output. */
  async run(command: string): Promise<ShellResult> {
    this.#print(`    $ ${command}`);
    const ran = await shell(command);
    this.#show(ran.output);
    return ran;
  }

  /** Types lines to a node, and prints what the shell on it prints. It ends at the first error. */
  async type(node: string, ...lines: string[]): Promise<ShellResult> {
    const command = `make shell NODE=${node}`;
    this.#print(`    $ ${command}`);
    const ran = await shell(command, lines.map(line => `${line}\n`).join(''));
    this.#show(ran.output);
    return ran;
  }

  /** Prints a note about something that was done without a command. */
  note(text: string): void {
    this.#print(`    # ${text}`);
  }

  /**
   * Prints a tick if the check holds.
   *
   * @throws WrongAnswer with the step, if it does not hold.
   */
  check(what: string, holds: boolean): void {
    if (!holds) throw new WrongAnswer(`step ${this.#steps} (${this.#title}): expected ${what}`);
    this.#print(`    ✓ ${what}`);
  }

  get steps(): number {
    return this.#steps;
  }

  /** Prints what was typed elsewhere, and what that printed. */
  typed(command: string, output: string): void {
    this.#print(`    $ ${command}`);
    this.#show(output);
  }

  #show(output: string): void {
    if (output === '') return;
    for (const line of output.split('\n')) this.#print(`    ${line}`);
  }
}
