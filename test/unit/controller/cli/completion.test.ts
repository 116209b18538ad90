import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { controller, hotcast, useSocket } from './run-cli.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-completion-'));
  const names = `#!/bin/sh\n[ "$1 $2" = "completion modules" ] && printf '%s\\n' demo counter\n`;
  const nodes = `[ "$1 $2" = "completion nodes" ] && printf '%s\\n' fred betty\nexit 0\n`;
  writeFileSync(join(folder, 'hotcast'), `${names}${nodes}`, { mode: 0o755 });
});

afterAll(() => rmSync(folder, { recursive: true }));

useSocket();

type Shell = 'bash' | 'zsh' | 'fish';

/** What a shell does with the script: it prints what it offers after some words, a line each; the last word is not finished. */
const OFFERS: Readonly<Record<Shell, (words: readonly string[]) => string>> = {
  bash: words =>
    `COMP_WORDS=(hotcast ${quoted(words)}); COMP_CWORD=${words.length}; _hotcast hotcast; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // The functions of its line editor, which has no terminal here, offer what begins with the last word.
  zsh: words => `words=(hotcast ${quoted(words)}); CURRENT=${words.length + 1}; PREFIX=${quoted(words.slice(-1))}
_describe() { for word in "\${(@P)2}"; do compadd -- "\${word%%:*}"; done }
compadd() { shift; for word in "$@"; do [[ -n $word && $word == $PREFIX* ]] && print -r -- $word; done }
_hotcast`,
  fish: words => `complete -C ${quoted([['hotcast', ...words].join(' ')])}`,
};

const quoted = (words: readonly string[]): string => words.map(word => `'${word}'`).join(' ');

const isInstalled = (shell: Shell): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

/** What a shell offers after these words. */
async function offered(shell: Shell, words: readonly string[]): Promise<string[]> {
  const { out } = await hotcast(['completion', shell]);
  const HOME = folder;
  const env = { ...process.env, HOME, PATH: `${folder}${delimiter}${process.env['PATH']}` };
  const before = shell === 'zsh' ? 'compdef() { : }\n' : '';
  const script = `${before}${out.join('\n')}\n${OFFERS[shell](words)}`;
  const { stdout, stderr } = spawnSync(shell, ['-c', script], { encoding: 'utf8', env });
  expect(stderr).toBe('');
  return stdout
    .split('\n')
    .flatMap(line => line.split('\t', 1))
    .filter(line => line !== '');
}

const sorted = (words: readonly string[]): string[] => words.toSorted((x, y) => (x < y ? -1 : 1));

describe.each<Shell>(['bash', 'zsh', 'fish'])('the completion of %s', shell => {
  it.skipIf(!isInstalled(shell)).each<[string[], string[]]>([
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
    [
      ['keys', ''],
      ['rotate', 'revoke', 'make'],
    ],
    [['keys', 'rotate', '--o'], ['--overlap']],
    [['completion', 'b'], ['bash']],
    [['dance', ''], []],
  ])('offers commands, options and names: %j', async (words, expected) => {
    expect(sorted(await offered(shell, words))).toEqual(sorted(expected));
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
