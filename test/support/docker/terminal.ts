import type Dockerode from 'dockerode';
import { expect } from 'vitest';

import { Screen } from './screen.ts';

/** Wide enough that no line is wrapped. */
const SIZE = { h: 24, w: 200 };

/** A program in a container with a pseudo-terminal, to which a test types. */
export class Terminal {
  readonly #exec: Dockerode.Exec;
  readonly #stream: NodeJS.ReadWriteStream;
  readonly #screen = new Screen();
  #hasEnded = false;

  private constructor(exec: Dockerode.Exec, stream: NodeJS.ReadWriteStream) {
    this.#exec = exec;
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => this.#screen.write(chunk.toString()));
    stream.on('end', () => (this.#hasEnded = true)).on('error', () => (this.#hasEnded = true));
  }

  static async start(container: Dockerode.Container, command: readonly string[]): Promise<Terminal> {
    const streams = { AttachStdin: true, AttachStdout: true, AttachStderr: true };
    const Env = ['TERM=xterm', 'HOTCAST_CLIENT=terminal', 'HOTCAST_AUTHOR=wilma@quarry', 'NO_COLOR=1'];
    const exec = await container.exec({ Cmd: [...command], Tty: true, Env, ...streams });
    const stream = await exec.start({ hijack: true, stdin: true, Tty: true });
    await exec.resize(SIZE);
    return new Terminal(exec, stream);
  }

  /** What the screen shows. */
  get text(): string {
    return this.#screen.text;
  }

  /** Presses keys, each by itself: several at once are a paste, in which Tab is a letter. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await new Promise<void>(resolve => this.#stream.write(key, () => resolve()));
  }

  /** Waits until the end of the screen is as given. */
  async shows(end: RegExp): Promise<void> {
    await expect.poll(() => this.text).toMatch(end);
  }

  /** Types a line, and waits for the prompt that follows its answer. Returns what it has shown. */
  async type(line: string): Promise<string> {
    const before = this.text.length;
    await this.press(line, '\r');
    await expect.poll(() => this.text.slice(before)).toMatch(/\n\(\S+\)\d+>$/);
    const [, ...rows] = this.text.slice(before).split('\n');
    return rows.slice(0, -1).join('\n');
  }

  /** Waits for the end of the program. Returns its exit status. */
  async exitStatus(): Promise<number | null> {
    await expect.poll(() => this.#hasEnded).toBe(true);
    return (await this.#exec.inspect()).ExitCode;
  }
}
