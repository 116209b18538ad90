import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { afterEach, describe, expect, it } from 'vitest';

import { serveRelays } from '../../../../controller/src/cli/relay/serve.ts';
import type { Run } from '../../../../controller/src/server/control-server.ts';
import { ROOT } from '../../../support/shell.ts';
import { latch } from '../../fixtures.ts';
import { controller, log, pong, servers, socketPath, useSocket } from './run-cli.ts';

const children: ChildProcess[] = [];

useSocket();

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const RELAY = ['controller/hotcast.pl'];
const PROCESS = [process.execPath, '--import', 'tsx', 'controller/src/main.ts'];

/** Starts `hotcast ping`. Resolves when the controller has the command, which it does not answer. */
async function startPing(
  client: Readonly<Record<string, string>>,
  { holding = null, program = RELAY }: { readonly holding?: string | null; readonly program?: readonly string[] } = {},
) {
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
  await controller(run);
  servers.push(await serveRelays(socketPath, log));
  const [file, ...args] = [...program, 'ping', '--timeout', '1m'];
  const { PATH } = process.env;
  const child = spawn(file, args, { cwd: ROOT, env: { PATH, CONTROLLER_SOCKET: socketPath, ...client } });
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

  it.each([RELAY, PROCESS])('ends on a signal, and the controller is told: %s', async (...program) => {
    const { child, left, ended } = await startPing({}, { program });
    child.kill('SIGINT');
    expect(await ended).toEqual({ status: 130, stdout: '', stderr: 'hotcast: interrupted\n' });
    await left;
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('that is interrupted by %s says what holds now', async signal => {
    const { child, ended } = await startPing({}, { holding: 'the canary of demo stays open' });
    child.kill(signal);
    const stderr = 'hotcast: interrupted: the canary of demo stays open\n';
    expect(await ended).toEqual({ status: 130, stdout: '', stderr });
  });

  it('that is killed tells the controller', async () => {
    const { child, left } = await startPing({});
    child.kill('SIGKILL');
    await left;
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
