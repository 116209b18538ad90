import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Command } from '../../../../controller/src/api/command.ts';
import { runCli } from '../../../../controller/src/cli/program.ts';
import { serveControl } from '../../../../controller/src/server/control-server.ts';
import { UsageError } from '../../../../protocol/errors.ts';
import { recordingLog } from '../../fixtures.ts';

let folder: string;
let server: AsyncDisposable;
const commands: Command[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-cli-'));
  const run = (command: Command): Promise<never> => {
    commands.push(command);
    return Promise.reject(new UsageError('heard'));
  };
  server = await serveControl(join(folder, 'socket'), run, recordingLog());
});

afterEach(async () => {
  commands.length = 0;
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const modules = [{ module: 'demo', revision: 'f'.repeat(64), manifest: null }];

/** Runs `hotcast …`: its exit status, what it wrote to standard error, and what the backups were asked for. */
async function hotcast(line: string, passphrase = '', problem: string | null = null) {
  const errors: string[] = [];
  const asked: unknown[] = [];
  const ask = (...what: unknown[]): void => {
    asked.push(what);
    if (problem !== null) throw new UsageError(problem);
  };
  const status = await runCli(line.split(' '), {
    socketPath: join(folder, 'socket'),
    author: 'wilma',
    backups: {
      passphrase,
      write: async (file, given) => ask('write', file, given),
      read: async (file, given, say) => {
        ask('read', file, given);
        say('what to know');
        return { modules, at: 5 };
      },
    },
    terminal: {
      out: text => void errors.push(`out: ${text}`),
      err: text => void errors.push(text),
      draw: null,
    },
  });
  return { status, errors, asked };
}

describe('hotcast backup', () => {
  it('writes the file, with the signing key only on request', async () => {
    expect(await hotcast('backup a.backup', 'yabba dabba')).toEqual({
      status: 0,
      errors: ['the backup is written, without the signing key (--keys)'],
      asked: [['write', 'a.backup', null]],
    });
    expect(await hotcast('backup a.backup --keys', 'yabba dabba')).toMatchObject({
      asked: [['write', 'a.backup', 'yabba dabba']],
    });
    expect(commands).toEqual([]);
  });

  it.each(['backup a.backup --keys', 'restore a.backup --keys'])('needs a passphrase: %s', async line => {
    expect(await hotcast(line)).toEqual({
      status: 2,
      errors: ['hotcast: --keys needs a passphrase in HOTCAST_PASSPHRASE'],
      asked: [],
    });
  });
});

describe('hotcast restore', () => {
  it('has the controller write the heads of what it has read', async () => {
    const { errors, asked } = await hotcast('restore -');
    expect(asked).toEqual([['read', '-', null]]);
    expect(errors).toEqual(['warning: what to know', 'hotcast: heard']);
    expect(commands).toEqual([
      {
        type: 'restore',
        author: 'wilma',
        change: expect.any(String) as string,
        modules,
        backupAt: 5,
        cookie: null,
        timeoutMs: 60_000,
      },
    ]);
  });

  it('has it write none when the backup is not good', async () => {
    expect(await hotcast('restore -', '', 'the backup is cut off')).toMatchObject({
      status: 2,
      errors: ['hotcast: the backup is cut off'],
    });
    expect(commands).toEqual([]);
  });
});
