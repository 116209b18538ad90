import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Command } from '../../../../controller/src/api/command.ts';
import type { Client } from '../../../../controller/src/api/report.ts';
import type { PushResult, Result } from '../../../../controller/src/api/results.ts';
import { serveRelays } from '../../../../controller/src/cli/relay/serve.ts';
import { serveControl } from '../../../../controller/src/server/control-server.ts';
import { standIn } from '../../../support/docker/stand-in.ts';
import { ROOT } from '../../../support/shell.ts';
import { recordingLog } from '../../fixtures.ts';

const revision = '3f2a9c0b1d4e'.padEnd(64, '0');

const pushed = (...modules: string[]): PushResult => ({
  command: 'push',
  modules: modules.map(module => ({ module, revision })),
  unchanged: [],
  affected: [],
  outcome: 'committed',
  detail: '',
  nodes: [{ node: 'fred', status: 'loaded', ms: 4 }],
  times: { compile: 1, prepare: 2, write: 3, commit: 4, skew: 0 },
});

const rolledBack: Result = {
  command: 'rollback',
  modules: [{ module: 'demo', revision }],
  outcome: 'committed',
  detail: '',
  nodes: [],
  times: { write: 1, commit: 1, skew: 0 },
};
const status: Result = { command: 'status', heads: [], nodes: [], changed: [], silent: [] };

let folder: string;
let control: AsyncDisposable;
let relays: AsyncDisposable;
let terminal: ChildProcess;
let screen: string;
/** What the controller was sent, whether a push ends, and the commands that have not ended. */
let commands: Command[];
let pushEnds: boolean;
const running = new Set<Command['type']>();

/** A controller whose `dev` has seen one save. */
async function run(
  command: Command,
  report: Client['report'],
  signal: Client['signal'],
  holds: Client['holds'],
): Promise<Result> {
  commands.push(command);
  if (command.type === 'push' && pushEnds) return pushed('demo', 'counter');
  if (command.type === 'push') holds('demo is committed; the nodes follow');
  if (command.type === 'rollback') return rolledBack;
  if (command.type === 'status') return status;
  running.add(command.type);
  if (command.type === 'dev') {
    report({ type: 'saved', at: 0, ms: 61, saved: ['demo'], result: pushed('demo'), problem: null, broken: [] });
  } else if (command.type === 'tail') {
    const entry = { at: 0, module: 'demo', revision, level: 'info', text: 'boss', nodes: ['fred'], count: 1 } as const;
    report({ type: 'logged', entries: [entry], dropped: 0 });
  }
  if (!signal.aborted) await once(signal, 'abort');
  running.delete(command.type);
  throw signal.reason;
}

const DOCKER = `#!/bin/bash
# \`docker ps\` finds the controller; \`docker exec\` runs the command line here.
[ "$1" = ps ] && { echo controller; exit; }
while [ "$1" != controller ]; do
  [ "$1" = --env ] && export "$2"
  shift
done
exec controller/hotcast.pl "\${@:3}"
`;

/** Opens `setup/hotcast dev` in a terminal: \`script\` makes a real one, and passes on what is typed. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-keys-'));
  commands = [];
  screen = '';
  pushEnds = true;
  const socket = join(folder, 'controller.sock');
  control = await serveControl(socket, run, recordingLog());
  relays = await serveRelays(socket, recordingLog());
  writeFileSync(join(folder, 'docker'), DOCKER, { mode: 0o755 });
  openTerminal(join(ROOT, 'setup/hotcast dev'));
  await shows('live on 1 in 61');
}, 60_000);

/** Runs a command in a terminal. */
function openTerminal(command: string): void {
  const { HOME = '' } = process.env;
  const socket = join(folder, 'controller.sock');
  screen = '';
  terminal = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: ROOT,
    env: { ...standIn(folder), HOME, CONTROLLER_SOCKET: socket, SHELL: '/bin/bash', TERM: 'xterm' },
  });
  terminal.stdout?.setEncoding('utf8').on('data', (text: string) => (screen += text));
}

afterEach(async () => {
  terminal.kill('SIGKILL');
  await relays[Symbol.asyncDispose]();
  await control[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const type = (keys: string): void => void terminal.stdin?.write(keys);
/** Without colours. */
const shows = (text: string) =>
  expect.poll(() => stripVTControlCharacters(screen), { timeout: 30_000 }).toContain(text);
const sent = (expected: object) =>
  expect.poll(() => commands, { timeout: 30_000 }).toContainEqual(expect.objectContaining(expected));

describe('a key in a terminal that runs dev', { timeout: 90_000 }, () => {
  it('rolls back what was pushed last, once, and pushes all', async () => {
    await shows('keys: r push all');
    type('b');
    await sent({ type: 'rollback', modules: ['demo'], to: null });
    await shows('rollback committed');
    type('b');
    await shows('nothing was pushed since');
    type('r');
    await sent({ type: 'push', modules: 'all', check: false });
    await shows('counter@');
    type('b');
    await sent({ type: 'rollback', modules: ['demo', 'counter'] });
  });

  it('shows the status, and the logs until it is pressed again', async () => {
    type('s');
    await sent({ type: 'status' });
    type('l');
    await shows('demo@3f2a9c0b1d4e  boss');
    type('l');
    await shows('logs are off');
    await expect.poll(() => [...running]).toEqual(['dev']);
    expect(screen).not.toContain('interrupted');
  });

  it.each(['q', '\u0003'])('says what holds of a push that it cuts off: %j', async key => {
    pushEnds = false;
    type('r');
    await sent({ type: 'push' });
    await expect.poll(() => [...running]).toContain('push');
    const exit = once(terminal, 'exit');
    type(key);
    await exit;
    await shows('interrupted: demo is committed; the nodes follow');
  });

  it.each([
    ['q', 0],
    ['\u0003', 130],
  ] as const)('ends it: %j', async (key, exitStatus) => {
    type('l');
    await shows('demo@3f2a9c0b1d4e  boss');
    const exit = once(terminal, 'exit');
    type(key);
    expect((await exit)[0]).toBe(exitStatus);
    await expect.poll(() => [...running]).toEqual([]);
    // What was typed is not printed.
    expect(screen).not.toMatch(/^[lq]/m);
  });
});

describe('dev that is stopped with Ctrl+Z', { timeout: 90_000 }, () => {
  it('leaves a terminal that shows what is typed, and has its keys again after fg', async () => {
    terminal.kill('SIGKILL');
    // A shell that leaves the terminal as a job does that it stops, which bash does not.
    openTerminal('/bin/sh -i');
    type(`${join(ROOT, 'setup/hotcast')} dev\n`);
    await shows('live on 1 in 61');
    type('\u001A');
    await shows('Stopped');
    type('stty -a\n');
    await expect.poll(() => screen).toMatch(/[^-]icanon[^]*[^-]echo /);
    type('fg\n');
    type('s');
    await sent({ type: 'status' });
    type('q');
    await expect.poll(() => [...running]).toEqual([]);
  });
});
