import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { standIn } from '../../../support/docker/stand-in.ts';
import { ROOT } from '../../../support/shell.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-keys-'));
  // An engine that prints what it is to run.
  writeFileSync(join(folder, 'docker'), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
});

afterEach(() => rmSync(folder, { recursive: true }));

function hotcast(...args: readonly string[]) {
  return hotcastIn('', ...args);
}

/** @param context of Hotcast. */
function hotcastIn(context: string, ...args: readonly string[]) {
  const more = { COOKIE: '', HOTCAST_KEYGEN_IMAGE: 'made-here', HOTCAST_CONTEXT: context };
  const env = { ...process.env, ...standIn(folder), ...more };
  const options = { encoding: 'utf8', cwd: folder, env } as const;
  const { status, stdout, stderr } = spawnSync(join(ROOT, 'setup/hotcast'), args, options);
  return { status, stdout: stdout.trimEnd(), stderr };
}

/** The end of the command line of the container, after its fixed options. */
const runIn = (dir: string, env: string, words: string) =>
  expect.stringMatching(
    new RegExp(
      `^run --rm --network none .*--volume ${join(folder, dir)}:/keys ${env} made-here node keygen.mjs ${words}$`,
    ),
  ) as string;

describe('a folder of keys', () => {
  it('is made in a container without a network, as the user, and nobody else can read it', () => {
    expect(hotcast('keys', 'make', 'mine')).toEqual({
      status: 0,
      stdout: runIn('mine', '--env COOKIES=', 'make /keys'),
      stderr: '',
    });
    expect(statSync(join(folder, 'mine')).mode & 0o777).toBe(0o700);
    const options = ['--tls', '--hosts', 'nats-1,nats-2', '--cookie', 'quarry'];
    expect(hotcast('keys', 'make', ...options, 'mine').stdout).toEqual(
      runIn('mine', '--env COOKIES=quarry --env NATS_TLS=1 --env NATS_HOSTS=nats-1,nats-2', 'make /keys'),
    );
  });

  it('is changed by the other commands of keys, which need no cluster then', () => {
    mkdirSync(join(folder, 'mine'));
    expect(hotcast('keys', 'rotate', '--folder', 'mine').stdout).toEqual(
      runIn('mine', '--env COOKIES=', 'rotate /keys 10m'),
    );
    expect(hotcast('keys', 'rotate', '--folder=mine', '--overlap', '20s').stdout).toEqual(
      runIn('mine', '--env COOKIES=', 'rotate /keys 20s'),
    );
    expect(hotcast('keys', 'revoke', '2af54c2f1b90d3e7', '--folder', 'mine').stdout).toEqual(
      runIn('mine', '--env COOKIES=', 'revoke /keys 2af54c2f1b90d3e7'),
    );
  });

  it('is on this machine, whatever cluster commands are for', () => {
    expect(hotcastIn('prod', 'keys', 'make', 'mine').status).toBe(0);
    expect(hotcastIn('prod', 'keys', 'rotate').stderr).toContain('there is no context "prod"');
  });

  it.each([
    [['keys', 'make'], 'name the folder: keys make DIR'],
    [['keys', 'make', 'mine', 'yours'], 'too many arguments: yours'],
    [['keys', 'rotate', '--folder', 'none'], 'there is no folder none'],
    [['keys', 'make', 'mine', '--tlss'], 'tlss'],
  ])('is not touched by %j', (args, message) => {
    const { status, stdout, stderr } = hotcast(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});
