import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { demultiplexer } from '../../../../packages/hotcast/src/engine/exec.ts';
import { ROOT } from '../../../support/shell.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-exec-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A part of an output, as an engine sends it. */
function part(stream: 1 | 2, content: string): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(Buffer.byteLength(content), 4);
  return Buffer.concat([header, Buffer.from(content)]);
}

const json = (status: string, body: object): string => `HTTP/1.0 ${status}\r\n\r\n${JSON.stringify(body)}`;
const CREATED = json('201 Created', { Id: 'e1' });
const UPGRADED = 'HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n';

interface Engine {
  /** The answer to each request, by its first words. The last one is given again. */
  readonly answers: Readonly<Record<string, readonly string[]>>;
  /** What the process does with its connection. */
  readonly run?: (socket: Socket) => void;
}

/** Runs a command in a container of an engine that gives these answers, in a process of its own. Also what the engine was asked. */
async function exec({ answers, run = socket => socket.end() }: Engine, input = '') {
  const asked: string[] = [];
  const socketPath = join(folder, 'docker.sock');
  await using server = createServer({ allowHalfOpen: true }, socket => {
    socket
      .on('error', () => undefined)
      .once('data', (data: Buffer) => {
        asked.push(data.toString());
        const found = Object.entries(answers).find(([words]) => data.toString().startsWith(words));
        const given = found?.[1] ?? [];
        const count = asked.filter(each => each.startsWith(found?.[0] ?? '-')).length;
        const answer = given[Math.min(count, given.length) - 1] ?? '';
        if (answer !== UPGRADED) return void socket.end(answer);
        socket.write(answer);
        run(socket);
      });
  }).listen(socketPath);
  await once(server, 'listening');
  const program = `
    import { execBySocket } from ${JSON.stringify(join(ROOT, 'packages/hotcast/src/engine/exec.ts'))};
    const request = { container: 'c1', env: { A: '1', B: null, C: null }, command: ['hotcast', 'ping'], onErrors: part => process.stderr.write(part) };
    const begun = await execBySocket(${JSON.stringify(socketPath)}, request);
    if (begun === null) process.exit(99);
    begun.input.on('error', () => undefined).end(${JSON.stringify(input)});
    process.exit(await begun.ended);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], B: '2' },
  });
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number]>,
  ]);
  return { status, stdout, stderr, asked };
}

const START = 'POST /exec/e1/start';
const CREATE = 'POST /containers/c1/exec';
const INSPECT = 'GET /exec/e1/json';
const ended = (code: number | null) => json('200 OK', { Running: code === null, ExitCode: code });

describe('a command in a container, by the socket of the engine', () => {
  it('has its input, its output and its exit status here, as soon as the engine knows that', async () => {
    const answers = { [CREATE]: [CREATED], [START]: [UPGRADED], [INSPECT]: [ended(null), ended(3)] };
    const run = (socket: Socket): void => {
      let heard = '';
      socket.on('data', (data: Buffer) => (heard += data.toString()));
      socket.once('end', () => {
        const all = Buffer.concat([part(1, `${heard}, barney`), part(2, 'oh no\n'), part(1, ' ü\n')]);
        // A part comes in pieces, also of its header.
        for (const at of [3, 12, 21]) socket.write(all.subarray(at === 3 ? 0 : at === 12 ? 3 : 12, at));
        socket.end(all.subarray(21));
      });
    };
    const { asked, ...printed } = await exec({ answers, run }, 'hello');
    expect(printed).toEqual({ status: 3, stdout: 'hello, barney ü\n', stderr: 'oh no\n' });
    const [create = ''] = asked;
    expect(JSON.parse(create.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      Cmd: ['hotcast', 'ping'],
      Env: ['A=1', 'B=2'],
      Tty: false,
    });
    expect(asked.filter(each => each.startsWith(INSPECT))).toHaveLength(2);
  });

  it.each<[string, Engine['answers']]>([
    ['creates none', { [CREATE]: [json('409 Conflict', { message: 'Container c1 is paused' })] }],
    ['is none', { [CREATE]: ['no HTTP'] }],
    ['does not start it', { [CREATE]: [CREATED], [START]: [json('404 Not Found', {})] }],
  ])('has not begun when the engine %s', async (_, answers) => {
    expect(await exec({ answers })).toMatchObject({ status: 99, stdout: '' });
  });

  it.each<[string, Engine['answers']]>([
    ['ends before it answers', { [CREATE]: [CREATED], [START]: [''], [INSPECT]: ['', json('404 Not Found', {})] }],
    ['has removed its container', { [CREATE]: [CREATED], [START]: [UPGRADED], [INSPECT]: [json('404 Not Found', {})] }],
  ])('counts as killed when the engine %s: it is not run again', async (_, answers) => {
    const { status, asked } = await exec({ answers });
    expect([status, asked.filter(each => each.startsWith(CREATE)).length]).toEqual([137, 1]);
  });
});

describe('parts of an output', () => {
  it('are the same however they are cut', () => {
    const all = Buffer.concat([part(1, 'one'), part(2, ''), part(2, 'two'), part(1, 'three')]);
    for (let size = 1; size <= all.length; size += 1) {
      const parts: [number, string][] = [];
      const take = demultiplexer((stream, content) => parts.push([stream, content.toString()]));
      for (let at = 0; at < all.length; at += size) take(all.subarray(at, at + size));
      expect(parts).toEqual([
        [1, 'one'],
        [2, ''],
        [2, 'two'],
        [1, 'three'],
      ]);
    }
  });
});
