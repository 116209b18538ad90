import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Command } from '../../../../../controller/src/api/command.ts';
import type { Client, Logged } from '../../../../../controller/src/api/report.ts';
import type { Result, ResultOf } from '../../../../../controller/src/api/results.ts';
import { serveControl } from '../../../../../controller/src/server/control-server.ts';
import { Screen } from '../../../../support/docker/screen.ts';
import { ROOT } from '../../../../support/shell.ts';
import { descriptionOf, recordingLog } from '../../../fixtures.ts';

const revision = 'a'.repeat(64);

let folder: string;
let control: AsyncDisposable;
let terminal: ChildProcess;
let screen: Screen;
/** Sends to the tail of the shell. */
let log: (text: string, call?: { readonly id: string; readonly line: number }) => void;
/** The nodes that are followed, and the call that waits with what ends it. */
let followed: (string | null)[];
let waiting: { readonly id: string; readonly answer: (output: string[]) => void } | null;

async function run(command: Command, report: Client['report'], signal: Client['signal']): Promise<Result> {
  if (command.type === 'call') {
    return new Promise(resolve => {
      const answer = (output: string[]): void => {
        const row = { node: 'fred', status: 'value', json: '7', revision, output } as const;
        resolve({ command: 'call', call: command.call, single: true, stack: true, nodes: [row] });
      };
      waiting = { id: command.id ?? '', answer };
    });
  }
  if (command.type === 'nodes') {
    const nodes = ['fred', 'betty'].map(name => ({
      ...descriptionOf(name),
      status: 'present' as const,
      group: 'node',
    }));
    return { command: 'nodes', nodes } as unknown as ResultOf<'nodes'>;
  }
  if (command.type !== 'tail') throw new Error(`not expected: ${command.type}`);
  followed.push(command.node);
  log = (text, call) => {
    const entry: Logged['entries'][number] = {
      at: 1,
      module: 'demo',
      revision,
      level: 'info',
      text,
      nodes: [],
      count: 1,
    };
    const nodes = [command.node ?? 'fred'];
    report({ type: 'logged', entries: [{ ...entry, nodes, ...(call === undefined ? {} : { call }) }], dropped: 0 });
  };
  await once(signal, 'abort');
  throw signal.reason;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-shell-'));
  const CONTROLLER_SOCKET = join(folder, 'controller.sock');
  [screen, followed, waiting] = [new Screen(), [], null];
  control = await serveControl(CONTROLLER_SOCKET, run, recordingLog());
  const shell = `'${process.execPath}' --import tsx controller/src/main.ts shell`;
  const { PATH, HOME } = process.env;
  const env = {
    PATH,
    HOME,
    CONTROLLER_SOCKET,
    COOKIE: 'dino',
    HOTCAST_CLIENT: 'terminal',
    TERM: 'xterm',
    NO_COLOR: '1',
  };
  terminal = spawn('script', ['--quiet', '--return', '--command', shell, '/dev/null'], { cwd: ROOT, env });
  terminal.stdout?.setEncoding('utf8').on('data', (text: string) => screen.write(text));
  await shows('(fred@dino)1>');
  await expect.poll(() => followed).toEqual(['fred']);
}, 60_000);

afterEach(async () => {
  terminal.kill('SIGKILL');
  await control[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const type = (keys: string): void => void terminal.stdin?.write(keys);
/** Waits for the last lines of the screen. */
const shows = (...lines: string[]) =>
  expect.poll(() => screen.text.split('\n').slice(-lines.length), { timeout: 30_000 }).toEqual(lines);

describe('what modules print', { timeout: 90_000 }, () => {
  it('appears above the line that is typed, which stays as it is', async () => {
    type('demo.ad');
    await shows('(fred@dino)1> demo.ad');
    log('a tick\nand a tock');
    await shows('fred | a tick', 'fred | and a tock', '(fred@dino)1> demo.ad');
    type('d');
    await shows('fred | and a tock', '(fred@dino)1> demo.add');
  });

  it('appears while a line runs, once, and leaves what is typed meanwhile', async () => {
    type('demo:wait().\r');
    await expect.poll(() => waiting).not.toBeNull();
    log('begun', { id: waiting?.id ?? '', line: 0 });
    await shows('(fred@dino)1> demo:wait().', 'fred | begun', '');
    type('no');
    await shows('fred | begun', 'no');
    log('of a timer');
    await shows('fred | begun', 'fred | of a timer', 'no');
    waiting?.answer(['begun', 'done']);
    await shows('fred | of a timer', 'fred | done', '7', '(fred@dino)2> no');
    log('done', { id: waiting?.id ?? '', line: 1 });
    log('last');
    await shows('7', 'fred | last', '(fred@dino)2> no');
  });

  it('is that of the node of the prompt', async () => {
    type('.on betty\r');
    await shows('(betty@dino)2>');
    await expect.poll(() => followed).toEqual(['fred', 'betty']);
    type('.on all\r');
    await expect.poll(() => followed).toEqual(['fred', 'betty', null]);
  });
});
