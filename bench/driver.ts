import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The answer of a driver. */
export type Answer = Readonly<Record<string, unknown>>;

/** Gives orders to a program in a container: each is a line of words on its standard input, answered by a line of JSON. */
export class Driver implements Disposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  /** @param container the id of a container with an open standard input. */
  constructor(container: string) {
    this.#process = spawn('docker', ['attach', '--sig-proxy=false', container]);
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    // A write to a driver that is gone is noticed when no answer comes.
    this.#process.stdin.on('error', () => undefined);
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-2_000);
    });
  }

  /**
   * Gives one order and waits for its answer; one order at a time.
   *
   * @throws Error when the driver reports an error, or has ended.
   */
  async order<T = Answer>(...words: readonly (string | number)[]): Promise<T> {
    const order = words.join(' ');
    this.#process.stdin.write(`${order}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`the driver ended at '${order}': ${this.#errors}`);
    const answer = JSON.parse(line.value) as Answer;
    if ('error' in answer) throw new Error(`the driver failed at '${order}': ${String(answer['error'])}`);
    return answer as T;
  }

  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL'); // `docker attach` ignores other signals while its container runs.
  }
}
