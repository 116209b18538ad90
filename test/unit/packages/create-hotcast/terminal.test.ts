import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ROOT } from '../../../support/shell.ts';
import { filesIn, folders } from './surroundings.ts';

const TSX = pathToFileURL(join(ROOT, 'node_modules/tsx/dist/esm/index.mjs')).href;
const PROGRAM = join(ROOT, 'packages/create-hotcast/src/main.ts');
const CTRL_D = '\u0004';

const newFolder = folders();
let folder: string;
let terminal: ChildProcess;
let screen: string;

/** `script` makes a real terminal, and passes on what is typed. */
beforeEach(async () => {
  folder = newFolder({ 'package.json': '{}' });
  screen = '';
  // The terminal has no size of its own.
  const command = `stty cols 120 rows 40; '${process.execPath}' --import '${TSX}' '${PROGRAM}' --no-install`;
  const { PATH = '', HOME = '' } = process.env;
  terminal = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: folder,
    env: { PATH, HOME, SHELL: '/bin/bash', TERM: 'xterm' },
  });
  terminal.stdout?.setEncoding('utf8').on('data', (text: string) => (screen += text));
  await shows('Name');
}, 60_000);

afterEach(() => void terminal.kill('SIGKILL'));

const type = (keys: string): void => void terminal.stdin?.write(keys);
const shows = (text: string) =>
  expect.poll(() => stripVTControlCharacters(screen), { timeout: 45_000 }).toContain(text);

describe('the questions, in a terminal', { timeout: 60_000 }, () => {
  it('take what is typed, and what is proposed when nothing is', async () => {
    type('rubble\r');
    await shows('Cookie');
    type('\r');
    await shows('Template');
    type('\r');
    await shows('Next:');
    const files = filesIn(folder);
    expect(files['rubble/hotcast.env']).toContain('COOKIE=rubble\n');
    expect(Object.keys(files)).toContain('rubble/modules/counter.ts');
  });

  it('say what is wrong with an answer', async () => {
    type('My-Fleet\r');
    await shows('a name is');
  });

  it('end with Ctrl+D, and with the input', async () => {
    const closed = once(terminal, 'close');
    type(CTRL_D);
    await shows('Nothing was changed.');
    expect(await closed).toEqual([130, null]);
    expect(filesIn(folder)).toEqual({ 'package.json': '{}' });
  });
});
