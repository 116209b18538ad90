import { createConnection, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import { ask, requestOf } from './socket.ts';

/** What is to run in a container. */
export interface ExecRequest {
  readonly container: string;
  /** The variables of the process. One without a value is passed on if it is set here. */
  readonly env: Readonly<Record<string, string | null>>;
  readonly command: readonly string[];
  /** Takes what it prints on standard error. */
  readonly onErrors: (part: Buffer) => void;
}

/** A process in a container. Its standard output is that of this process. */
export interface Exec {
  /** Its end is that of the input of the process. */
  readonly input: Writable;
  /** The exit status, when all output was passed on. */
  readonly ended: Promise<number>;
}

/** Each part of the output has a header: the number of the stream, and, in its last four bytes, the length. */
const HEADER_BYTES = 8;

/** The status of a process that was killed with its container, or of which the engine says nothing any more. */
const KILLED = 137;

/** The status of a process whose reader has gone, as a shell says it. */
const READER_GONE = 141;

/** The engine may notice the end of the output before that of the process, and may be busy (milliseconds). */
const END_TIMEOUT_MS = 10_000;
const END_INTERVAL_MS = 5;

/**
 * Runs a command in a container through the socket of the engine, as `docker exec` does: to start that takes longer than all else that this
 * process does. Null: the engine does not do it; nothing has begun.
 */
export async function execBySocket(socketPath: string, request: ExecRequest): Promise<Exec | null> {
  const { container, env, command, onErrors } = request;
  const Env = Object.entries(env).flatMap(([name, value]) => {
    const given = value ?? process.env[name];
    return given === undefined ? [] : [`${name}=${given}`];
  });
  const attached = { AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: false };
  const created = await ask(socketPath, 'POST', `/containers/${container}/exec`, { ...attached, Env, Cmd: command });
  const { Id: id } = (created.body ?? {}) as { readonly Id?: string };
  if (created.status !== 201 || id === undefined) return null;
  const started = await start(socketPath, id);
  if (started === null) return null;
  const pass = async (): Promise<number> =>
    (await passOutput(started, onErrors)) ? statusOf(socketPath, id) : READER_GONE;
  return { input: started.socket, ended: pass() };
}

/** A connection that has become the input and the output of a process, and the first of its output. */
interface Started {
  readonly socket: Socket;
  readonly first: Buffer;
}

/** Null: the engine has answered that it does not start it. */
function start(socketPath: string, id: string): Promise<Started | null> {
  const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';
  const request = requestOf('POST', `/exec/${id}/start`, { Detach: false, Tty: false }, '1.1', upgrade);
  return new Promise(done => {
    let received: Buffer = Buffer.alloc(0);
    const socket = createConnection({ path: socketPath, allowHalfOpen: true }, () => socket.write(request));
    // Without an answer it may have begun, so it is one whose output has ended.
    const lost = (): void => done({ socket: socket.destroy(), first: Buffer.alloc(0) });
    const read = (part: Buffer): void => {
      received = Buffer.concat([received, part]);
      const at = received.indexOf('\r\n\r\n');
      if (at === -1) return;
      socket.off('data', read).off('end', lost).pause();
      const isStarted = /^HTTP\/1\.1 (?:101|200) /.test(received.toString('latin1', 0, at));
      if (!isStarted) socket.destroy();
      done(isStarted ? { socket, first: received.subarray(at + 4) } : null);
    };
    socket.on('data', read).once('end', lost).once('error', lost);
  });
}

/** Passes the output on until it ends. Returns whether all of it was taken: false, when nobody reads it any more. */
async function passOutput({ socket, first }: Started, onErrors: (part: Buffer) => void): Promise<boolean> {
  const { stdout, stderr } = process;
  const isTaken = await new Promise<boolean>(done => {
    stdout.on('error', () => done(false));
    const write = demultiplexer((stream, part) => (stream === 2 ? onErrors(part) : stdout.write(part)));
    write(first);
    if (socket.destroyed) done(true);
    // If the engine was killed, the output ends too.
    socket
      .on('error', () => undefined)
      .once('close', () => done(true))
      .once('end', () => socket.destroy())
      .on('data', write);
    socket.resume();
  });
  if (isTaken) await Promise.all([stdout, stderr].map(stream => new Promise(done => stream.write('', done))));
  else socket.destroy();
  return isTaken;
}

/** Takes the parts of an output apart. A part can come in pieces. */
export function demultiplexer(onPart: (stream: number, part: Buffer) => void): (piece: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return piece => {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    while (rest.length >= HEADER_BYTES) {
      const length = rest.readUInt32BE(HEADER_BYTES - 4);
      if (rest.length < HEADER_BYTES + length) return;
      onPart(rest[0] ?? 1, rest.subarray(HEADER_BYTES, HEADER_BYTES + length));
      rest = rest.subarray(HEADER_BYTES + length);
    }
  };
}

interface Inspected {
  readonly Running: boolean;
  readonly ExitCode: number | null;
}

async function statusOf(socketPath: string, id: string): Promise<number> {
  for (const deadline = performance.now() + END_TIMEOUT_MS; performance.now() < deadline;) {
    const { status, body } = await ask(socketPath, 'GET', `/exec/${id}/json`);
    if (status === 404) return KILLED;
    const { Running: isRunning = true, ExitCode: code = null } = (status === 200 ? body : {}) as Partial<Inspected>;
    if (!isRunning && code !== null) return code;
    await sleep(END_INTERVAL_MS);
  }
  return KILLED;
}
