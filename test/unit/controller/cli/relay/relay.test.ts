import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';

import { describe, expect, it } from 'vitest';

import type { CallResult } from '../../../../../controller/src/api/results.ts';
import { serveRelays } from '../../../../../controller/src/cli/relay/serve.ts';
import { type Run, serveControl } from '../../../../../controller/src/server/control-server.ts';
import { PACKAGE_VERSION } from '../../../../../shared/package-version.ts';
import { ROOT } from '../../../../support/shell.ts';
import { latch } from '../../../fixtures.ts';
import { CHANGE, controller, log, servers, socketPath, useSocket } from '../run-cli.ts';

useSocket();

interface Ended {
  readonly status: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the relay to its end, with these variables. */
async function relay(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { PATH = '' } = process.env;
  const child = spawn(join(ROOT, 'controller/hotcast.pl'), args, {
    env: { PATH, CONTROLLER_SOCKET: socketPath, ...env },
  });
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  const [stdout, stderr, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status: signal ?? code, stdout, stderr };
}

/** The answer of fred to a call: a text. */
const answered = (value: string): CallResult => ({
  command: 'call',
  call: 'demo.text()',
  single: true,
  stack: false,
  nodes: [{ node: 'fred', status: 'value', json: JSON.stringify(value), revision: 'f'.repeat(64), output: [] }],
});

describe('a relay', { timeout: 30_000 }, () => {
  it.each([
    `demo.say("it's", 'a "quoted" \\\\ text')`,
    'demo.say("two\nlines\tand a tab")',
    'demo.say("Zoë — 🦕, \u2028")',
    '',
  ])('passes an argument on as it is: %j', async call => {
    const commands = await controller(async () => answered('heard'));
    servers.push(await serveRelays(socketPath, log));
    await relay(['call', call, '--node', 'fred']);
    expect(commands).toEqual([expect.objectContaining({ type: 'call', call, node: 'fred' })]);
  });

  it('says who gives the command, and from which sources', async () => {
    const commands = await controller();
    servers.push(await serveRelays(socketPath, log));
    const commit = '3f2a9c0b1d';
    const { stderr } = await relay(['push', 'demo'], {
      HOTCAST_AUTHOR: 'wilma@quarry',
      HOTCAST_CHANGE: CHANGE,
      HOTCAST_GIT: `${commit}-dirty`,
      HOTCAST_CLI: '0.0.1',
    });
    const [command] = commands;
    expect(command).toMatchObject({ author: 'wilma@quarry', change: CHANGE, git: { commit, dirty: true } });
    expect(stderr).toContain(`this hotcast has version 0.0.1, and the controller ${PACKAGE_VERSION}.`);
  });

  it('prints all of a long result, and exits with its status', async () => {
    const long = 'Calculating like a bøss! '.repeat(40_000);
    await controller(async () => answered(long));
    servers.push(await serveRelays(socketPath, log));
    const { status, stdout, stderr } = await relay(['call', 'demo.text()', '--node', 'fred', '--json']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ nodes: [{ json: JSON.stringify(long) }] });
  });

  it('exits with the status of a command that fails, whose errors are on standard error', async () => {
    await controller(() => Promise.reject(new Error('boom')));
    servers.push(await serveRelays(socketPath, log));
    const { status, stdout, stderr } = await relay(['ping']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('hotcast: the controller failed: boom');
    expect(await relay(['dance'])).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('dance') });
    expect(await relay(['ping', '--help'])).toMatchObject({ status: 0, stdout: expect.stringContaining('Usage:') });
  });

  it('has its own colours, while another one has none', async () => {
    const { opened: bothSent, open } = latch();
    let sent = 0;
    const run: Run = async () => {
      if ((sent += 1) === 2) open();
      await bothSent;
      throw new Error('boom');
    };
    await controller(run);
    servers.push(await serveRelays(socketPath, log));
    const all = await Promise.all([relay(['ping'], { HOTCAST_CLIENT: 'terminal' }), relay(['ping'])]);
    expect(all.map(({ stdout, stderr }) => (stdout + stderr).includes('\u001B[31m'))).toEqual([true, false]);
  });

  it('waits for a controller that is just starting', async () => {
    const answer = relay(['ping', 'fred']);
    await controller();
    servers.push(await serveRelays(socketPath, log));
    expect(await answer).toEqual({ status: 0, stdout: 'pong\n', stderr: '' });
  });

  it('says that no controller listens', async () => {
    expect(await relay(['ping'])).toEqual({
      status: 2,
      stdout: '',
      stderr: 'hotcast: no controller listens in this container; nothing was sent (see: docker compose logs)\n',
    });
  });

  it('of a command that follows ends with its controller, and says where to go on', async () => {
    const { opened: sent, open: setSent } = latch();
    const control = await serveControl(
      socketPath,
      async (_, __, signal, holds) => {
        holds('go on with --since 12');
        setSent();
        await once(signal, 'abort');
        throw signal.reason;
      },
      log,
    );
    servers.push(control);
    const relays = await serveRelays(socketPath, log);
    const answer = relay(['events', '--follow']);
    await sent;
    await control.finish(5_000);
    await relays[Symbol.asyncDispose]();
    const stderr = 'hotcast: the controller ends: go on with --since 12\n';
    expect(await answer).toEqual({ status: 2, stdout: '', stderr });
  });

  it('is killed with its controller, as by the end of their container', async () => {
    const { opened: sent, open: setSent } = latch();
    await controller(async () => {
      setSent();
      return new Promise(() => undefined);
    });
    const relays = await serveRelays(socketPath, log);
    const answer = relay(['ping']);
    await sent;
    await relays[Symbol.asyncDispose]();
    expect(await answer).toEqual({ status: 'SIGKILL', stdout: '', stderr: '' });
  });

  it('interrupts a command whose client has gone before it began', async () => {
    await controller(() => new Promise(() => undefined));
    servers.push(await serveRelays(socketPath, log));
    const socket = connect({ path: `${socketPath}.cli`, allowHalfOpen: true });
    socket.end(`${JSON.stringify({ args: ['ping'], env: {}, isTerminal: false })}\n`);
    expect(await text(socket)).toMatch(/interrupted: .*\n0 130\n$/s);
  });

  it('starts a process of its own for what is no command of the controller', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hotcast-relay-'));
    writeFileSync(join(folder, 'node'), '#!/bin/sh\necho "$@"; exit 4\n', { mode: 0o755 });
    const PATH = `${folder}${delimiter}${process.env['PATH']}`;
    for (const command of ['serve', 'shell', 'backup', 'restore']) {
      expect(await relay([command, '--keys'], { PATH })).toMatchObject({
        status: 4,
        stdout: `/work/controller.mjs ${command} --keys\n`,
      });
    }
    rmSync(folder, { recursive: true });
  });
});
