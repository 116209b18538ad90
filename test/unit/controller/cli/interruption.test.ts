import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { ResultOf } from '../../../../controller/src/api/results.ts';
import { type Run, serveControl } from '../../../../controller/src/server/control-server.ts';
import { ROOT } from '../../../support/shell.ts';
import { latch, recordingLog } from '../../fixtures.ts';

const pong: ResultOf<'ping'> = { command: 'ping', nodes: [{ node: 'fred', status: 'pong', ms: 1 }] };

let folder: string;
const children: ChildProcess[] = [];
const servers: AsyncDisposable[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-interruption-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(servers.splice(0).map(server => server[Symbol.asyncDispose]()));
  rmSync(folder, { recursive: true });
});

/** Starts `hotcast ping` in a process of its own. Resolves when the controller has the command, which it does not answer. */
async function startPing(client: Readonly<Record<string, string>>, holding: string | null = null) {
  const { opened: sent, open: setSent } = latch();
  const { opened: left, open: setLeft } = latch();
  const { opened: mayAnswer, open: answer } = latch();
  const run: Run = async (_, __, signal, holds) => {
    if (holding !== null) holds(holding);
    signal.addEventListener('abort', setLeft);
    setSent();
    await mayAnswer;
    return pong;
  };
  const socket = join(folder, 'controller.sock');
  servers.push(await serveControl(socket, run, recordingLog()));
  const child = spawn(process.execPath, ['--import', 'tsx', 'controller/src/main.ts', 'ping', '--timeout', '1m'], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], CONTROLLER_SOCKET: socket, ...client },
  });
  children.push(child);
  const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  await sent;
  return {
    child,
    answer,
    left,
    ended: ended.then(([[status], stdout, stderr]) => ({ status: status as unknown, stdout, stderr })),
  };
}

describe('a command', { timeout: 30_000 }, () => {
  it.each<[Readonly<Record<string, string>>, object]>([
    [{ HOTCAST_CLIENT: 'pipe' }, { stdout: '', stderr: 'hotcast: interrupted\n' }],
    // On a terminal the two streams would overtake each other.
    [{ HOTCAST_CLIENT: 'terminal' }, { stdout: '\r\u001B[K\u001B[31mhotcast:\u001B[39m interrupted\n', stderr: '' }],
    [
      { HOTCAST_CLIENT: 'terminal', NO_COLOR: '1' },
      { stdout: '\r\u001B[Khotcast: interrupted\n', stderr: '' },
    ],
    [
      { HOTCAST_CLIENT: 'terminal', TERM: 'dumb' },
      { stdout: 'hotcast: interrupted\n', stderr: '' },
    ],
  ])('ends with its client, which holds its input open: %o', async (client, output) => {
    const { child, left, ended } = await startPing(client);
    child.stdin.end();
    expect(await ended).toEqual({ status: 130, ...output });
    await left;
  });

  it('ends on a signal, and the controller is told', async () => {
    const { child, left, ended } = await startPing({});
    child.kill('SIGINT');
    expect(await ended).toEqual({ status: 130, stdout: '', stderr: 'hotcast: interrupted\n' });
    await left;
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('that is interrupted by %s says what holds now', async signal => {
    const { child, ended } = await startPing({}, 'the canary of demo stays open');
    child.kill(signal);
    const stderr = 'hotcast: interrupted: the canary of demo stays open\n';
    expect(await ended).toEqual({ status: 130, stdout: '', stderr });
  });

  it('goes on after the end of its input when nobody says what that means', async () => {
    const { child, answer, ended } = await startPing({});
    child.stdin.end();
    answer();
    expect(await ended).toEqual({ status: 0, stdout: 'pong\n', stderr: '' });
  });

  it('ends with its result, although its client still holds its input', async () => {
    const { answer, ended } = await startPing({ HOTCAST_CLIENT: 'pipe' });
    answer();
    expect(await ended).toEqual({ status: 0, stdout: 'pong\n', stderr: '' });
  });
});
