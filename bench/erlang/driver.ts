import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** What the driver answers to an order (driver.erl); times in microseconds. */
export type Answer = Readonly<Record<string, number | string | readonly number[]>>;

/** The channel to the process that pushes: a line for each order, a line of JSON for each answer. */
export class Driver implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #last: Promise<unknown> = Promise.resolve();
  readonly #name: string;
  #complaints = '';

  /**
   * @param container the driver's id; its standard input is open.
   * @param name what errors call it.
   */
  constructor(container: string, name = 'Erlang driver') {
    this.#name = name;
    this.#process = spawn('docker', ['attach', '--sig-proxy=false', container]);
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    // A write to a driver that is gone: the next line, which does not come, says so.
    this.#process.stdin.on('error', () => undefined);
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-2_000);
    });
  }

  /**
   * Gives orders one after the other.
   *
   * @throws Error when the driver could not do it, or is gone.
   */
  order(...words: readonly (string | number)[]): Promise<Answer> {
    const answer = this.#last.then(() => this.#ask(words.join(' ')));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #ask(order: string): Promise<Answer> {
    this.#process.stdin.write(`${order}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`the ${this.#name} ended at '${order}': ${this.#complaints}`);
    const answer = JSON.parse(line.value) as Answer;
    if ('error' in answer) throw new Error(`the ${this.#name} failed at '${order}': ${String(answer['error'])}`);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return;
    const ended = once(this.#process, 'close');
    this.#process.kill('SIGKILL'); // it takes no other signal while its container runs
    await ended;
  }
}
