import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { standIn } from '../../../support/docker/stand-in.ts';
import { ROOT } from '../../../support/shell.ts';

let folder: string;
let modules: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-git-'));
  modules = join(folder, 'my modules');
  mkdirSync(modules);
  // An engine whose controller has this folder, and that prints how `docker exec` is called.
  const script = `#!/bin/sh
[ "$1" = ps ] && { echo 'c0ffee ${modules}'; exit; }
printf '%s\\n' "$@"
`;
  writeFileSync(join(folder, 'docker'), script, { mode: 0o755 });
});

afterEach(() => rmSync(folder, { recursive: true }));

function git(...args: string[]): string {
  const who = ['-c', 'user.name=wilma', '-c', 'user.email=wilma@quarry'];
  return execFileSync('git', ['-C', folder, ...who, ...args], { encoding: 'utf8' }).trim();
}

/** What `hotcast …` is told of the sources. */
function told(...args: string[]): string | undefined {
  const env = { ...process.env, ...standIn(folder), COOKIE: '' };
  const { stdout } = spawnSync(join(ROOT, 'setup/hotcast'), args, { encoding: 'utf8', env });
  return /^HOTCAST_GIT=(.*)$/m.exec(stdout)?.[1];
}

describe('setup/hotcast', () => {
  it('gives a push the commit of the modules folder, and whether something in it is not committed', () => {
    expect(told('push', 'demo')).toBe('');
    git('init', '--quiet');
    expect(told('push', 'demo')).toBe('');
    writeFileSync(join(modules, 'demo.ts'), 'export const x = 1;\n');
    git('add', modules);
    git('commit', '--quiet', '--message', 'one');
    const commit = git('rev-parse', 'HEAD');
    expect(told('push', 'demo')).toBe(commit);
    writeFileSync(join(folder, 'README.md'), 'beside the modules\n');
    expect(told('push', 'demo')).toBe(commit);
    writeFileSync(join(modules, 'other.ts'), 'export const y = 1;\n');
    expect(told('push', 'demo')).toBe(`${commit}-dirty`);
    expect(told('status')).toBe('');
  });
});
