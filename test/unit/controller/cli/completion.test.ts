import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { controller, hotcast, useSocket } from './run-cli.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-completion-'));
  const names = '#!/bin/sh\n[ "$1 $2" = "completion modules" ] && echo demo counter\n';
  const nodes = '[ "$1 $2" = "completion nodes" ] && echo fred betty\nexit 0\n';
  writeFileSync(join(folder, 'hotcast'), `${names}${nodes}`, { mode: 0o755 });
});

afterAll(() => rmSync(folder, { recursive: true }));

useSocket();

/** What bash offers after these words; the last one is not finished. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const { out } = await hotcast(['completion', 'bash']);
  const typed = ['hotcast', ...words].map(word => `'${word}'`).join(' ');
  const lines = `COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _hotcast hotcast; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` };
  const script = `${out.join('\n')}\n${lines}`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8', env });
  expect(stderr).toBe('');
  return stdout.split('\n').filter(line => line !== '');
}

describe('the completion of bash', () => {
  it.each<[string[], string[]]>([
    [['pu'], ['push', 'purge']],
    [
      ['push', ''],
      ['demo', 'counter'],
    ],
    [['push', 'demo', 'c'], ['counter']],
    [
      ['push', '--a'],
      ['--all', '--affected'],
    ],
    [['push', '--without', 'f'], ['fred']],
    [['push', '--message', ''], []],
    [
      ['call', '--node', ''],
      ['fred', 'betty'],
    ],
    [['bans', '--lift', 'd'], ['demo']],
    [
      ['ping', ''],
      ['fred', 'betty'],
    ],
    [['keys', ''], ['rotate']],
    [['keys', 'rotate', '--o'], ['--overlap']],
    [['completion', 'b'], ['bash']],
    [['dance', ''], []],
  ])('offers commands, options and names: %j', async (words, expected) => {
    expect(await offered(...words)).toEqual(expected);
  });
});

describe.each(['zsh', 'fish'])('the completion of %s', shell => {
  it('has every command', async () => {
    const script = (await hotcast(['completion', shell])).out.join('\n');
    for (const word of ['push', 'rollback', 'keys', 'canary', 'modules']) expect(script).toContain(word);
  });
});

describe('hotcast completion', () => {
  it('asks the controller for names, and prints a name a line', async () => {
    const commands = await controller(() => Promise.resolve({ command: 'names', names: ['counter', 'demo'] }));
    expect(await hotcast(['completion', 'modules'])).toMatchObject({ status: 0, out: ['counter\ndemo'] });
    expect(commands).toMatchObject([{ type: 'names', of: 'modules' }]);
    expect(await hotcast(['completion', 'tcsh'])).toMatchObject({ status: 2, out: [] });
  });
});
