import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { standIn } from '../../../support/docker/stand-in.ts';
import { ROOT } from '../../../support/shell.ts';

/** An engine whose backup is its arguments, and whose restore prints what it reads. An endless backup is one process that prints itself. */
const ENGINE = `#!/bin/sh
[ "$1" = ps ] && { echo controller; exit; }
case " $* " in
*' backup '*)
  [ -z "$ENDLESS" ] || exec tail -f "$0"
  echo "backup \${HOTCAST_PASSPHRASE-none} \${*##*hotcast}"
  exit "\${STATUS:-0}" ;;
*) cat ;;
esac
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-backup-'));
  writeFileSync(join(folder, 'docker'), ENGINE, { mode: 0o755 });
});

afterEach(() => rmSync(folder, { recursive: true }));

const environment = () => ({ ...process.env, ...standIn(folder), COOKIE: '' });

function hotcast(args: readonly string[], more: Record<string, string> = {}, input = '') {
  const env = { ...environment(), ...more };
  const { status, stdout, stderr } = spawnSync(join(ROOT, 'setup/hotcast'), args, {
    encoding: 'utf8',
    cwd: folder,
    env,
    input,
  });
  return { status, stdout, stderr };
}

const read = (file: string): string => readFileSync(join(folder, file), 'utf8');

describe('a backup', () => {
  it('is a file in the folder of the user, that nobody else can read', () => {
    expect(hotcast(['backup', '--timeout', '5', 'mine.backup']).status).toBe(0);
    expect(read('mine.backup')).toBe('backup none  backup - --timeout 5\n');
    expect(statSync(join(folder, 'mine.backup')).mode & 0o777).toBe(0o600);
  });

  it('leaves the one before when it fails', () => {
    writeFileSync(join(folder, 'mine.backup'), 'earlier');
    expect(hotcast(['backup', 'mine.backup'], { STATUS: '2' }).status).toBe(2);
    expect(read('mine.backup')).toBe('earlier');
    expect(readdirSync(folder).toSorted((a, b) => a.localeCompare(b))).toEqual(['docker', 'mine.backup']);
  });

  it('says where it can not be written', () => {
    expect(hotcast(['backup', 'none/mine.backup'])).toEqual({
      status: 2,
      stdout: '',
      stderr: 'hotcast: cannot write none/mine.backup.part (ENOENT)\n',
    });
    mkdirSync(join(folder, 'taken'));
    expect(hotcast(['backup', 'taken'])).toMatchObject({
      status: 2,
      stderr: 'hotcast: cannot write taken (EISDIR); the backup is taken.part\n',
    });
  });

  it('leaves no part of it when it is interrupted', async () => {
    const child = spawn(join(ROOT, 'setup/hotcast'), ['backup', 'mine.backup'], {
      cwd: folder,
      env: { ...environment(), ENDLESS: '1' },
      detached: true,
      stdio: 'ignore',
    });
    const exit = once(child, 'exit');
    await vi.waitFor(() => expect(read('mine.backup.part')).toContain('backup'), 20_000);
    process.kill(-(child.pid ?? NaN), 'SIGINT');
    expect(await exit).toEqual([130, null]);
    expect(readdirSync(folder)).toEqual(['docker']);
  });

  it('has a passphrase from the environment, and needs one for keys', () => {
    hotcast(['backup', 'mine.backup', '--keys'], { HOTCAST_PASSPHRASE: 'bronto' });
    expect(read('mine.backup')).toContain('backup bronto ');
    expect(hotcast(['backup', 'mine.backup', '--keys'])).toMatchObject({
      status: 2,
      stderr: 'hotcast: --keys needs a passphrase in HOTCAST_PASSPHRASE\n',
    });
  });

  it('goes to the output, and comes from the input, for -', () => {
    expect(hotcast(['backup', '-']).stdout).toBe('backup none  backup -\n');
    expect(hotcast(['restore', '-'], {}, 'from a pipe').stdout).toBe('from a pipe');
  });

  it('is read from a file, which has to be there', () => {
    writeFileSync(join(folder, 'mine.backup'), 'what was saved');
    expect(hotcast(['restore', 'mine.backup']).stdout).toBe('what was saved');
    expect(hotcast(['restore', 'none.backup'])).toMatchObject({
      status: 2,
      stderr: 'hotcast: cannot read none.backup (ENOENT)\n',
    });
    expect(hotcast(['restore'])).toMatchObject({ status: 2, stderr: 'hotcast: name the file: restore FILE\n' });
  });
});
