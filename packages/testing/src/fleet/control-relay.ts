import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

import { linesOf } from '../../../../controller/src/api/lines.ts';

/**
 * The program in the controller's container. A line of its input is a connection's number and its command; a line of its
 * output is a connection's number and one report, or null at the connection's end. Only a line feed ends a line.
 */
const PROGRAM = `
  const { createConnection } = require('node:net');
  const onLine = (stream, each) => {
    // The parts of a line. One of a status can have megabytes, in many of them.
    let parts = [];
    stream.setEncoding('utf8').on('data', text => {
      const [first, ...others] = text.split('\\n');
      parts.push(first);
      for (const next of others) {
        each(parts.join(''));
        parts = [next];
      }
    });
  };
  // The engine's client may be killed. This process has to end all the same, and its connections with it.
  process.stdin.once('end', () => process.exit());
  const say = (id, report) => process.stdout.write(JSON.stringify([id, report]) + '\\n');
  onLine(process.stdin, line => {
    const [id, command] = JSON.parse(line);
    const socket = createConnection(process.env.CONTROLLER_SOCKET || '/run/hotcast/controller.sock');
    socket.on('error', () => undefined).once('close', () => say(id, null));
    onLine(socket, report => say(id, report));
    socket.write(command + '\\n');
  });
`;

/** Receives the lines with which the controller answers a command, and null at the end of its connection. */
export type OnReportLine = (line: string | null) => void;

/** Sends commands to a controller, each on a connection of its own, through one process in its container. */
export class ControlRelay implements Disposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #receivers = new Map<number, OnReportLine>();
  #sent = 0;

  /**
   * @param container the id of the controller's container.
   * @param onEnd is called when the process has ended, for example with the container. All open connections end before.
   */
  constructor(container: string, onEnd: () => void = () => undefined) {
    this.#process = spawn('docker', ['exec', '--interactive', container, 'node', '-e', PROGRAM]);
    // When the process fails, its output ends.
    this.#process.stderr.resume();
    this.#process.on('error', () => undefined).stdin.on('error', () => undefined);
    void this.#read().finally(() => {
      for (const id of this.#receivers.keys()) this.#receive(id, null);
      onEnd();
    });
  }

  /** Sends a command, a line of JSON. */
  send(command: string, onLine: OnReportLine): void {
    const id = (this.#sent += 1);
    this.#receivers.set(id, onLine);
    this.#process.stdin.write(`${JSON.stringify([id, command])}\n`);
  }

  [Symbol.dispose](): void {
    this.#process.stdin.end();
    this.#process.kill();
  }

  async #read(): Promise<void> {
    for await (const line of linesOf(this.#process.stdout)) {
      // The engine says here too that it can't run a process in a container that ends.
      if (!line.startsWith('[')) return;
      this.#receive(...(JSON.parse(line) as [number, string | null]));
    }
  }

  #receive(id: number, line: string | null): void {
    const onLine = this.#receivers.get(id);
    if (line === null) this.#receivers.delete(id);
    onLine?.(line);
  }
}
