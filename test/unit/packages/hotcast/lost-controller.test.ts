import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { standIn } from '../../../support/docker/stand-in.ts';
import { ROOT } from '../../../support/shell.ts';

const ID = 'f3f97342e9f6';
const STOPPED = 'OCI runtime exec failed: exec failed: cannot exec in a stopped container: unknown';

/** Runs `setup/hotcast push demo` with an engine that answers each `docker exec` with the next output, status and errors. */
function push(...answers: readonly (readonly [output: string, status: number, errors?: string])[]) {
  const folder = mkdtempSync(join(tmpdir(), 'hotcast-lost-'));
  const lines = answers.map(
    ([output, status, errors = ''], index) =>
      `${index + 1}) printf '%s' '${output}'; printf '%s' '${errors}' >&2; exit ${status} ;;`,
  );
  const script = `#!/bin/sh
[ "$1" = ps ] && { echo controller; exit; }
echo x >>'${folder}/execs'
case $(wc -l <'${folder}/execs') in
${lines.join('\n')}
*) exit 99 ;;
esac
`;
  writeFileSync(join(folder, 'docker'), script, { mode: 0o755 });
  const env = { ...process.env, ...standIn(folder) };
  const { status, stdout, stderr } = spawnSync(join(ROOT, 'setup/hotcast'), ['push', 'demo'], {
    encoding: 'utf8',
    env,
  });
  rmSync(folder, { recursive: true });
  return { status, stdout, stderr };
}

describe('setup/hotcast, when the container of the controller ends', () => {
  it('takes no words of the engine for what came of a change', () => {
    const { status, stdout } = push(['', 137], [STOPPED, 126], ['change c wrote nothing; no node has changed\n', 2]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: 'change c wrote nothing; no node has changed\n' });
  });

  it('says that a command did not begin', () => {
    const { status, stderr } = push([STOPPED, 126]);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'hotcast: the controller ended before the command began; run the command again\n',
    });
  });

  it.each([
    `Error response from daemon: Container ${ID} is not running\n`,
    `Error: No such container: ${ID}\n`,
    `Error response from daemon: No such container: ${ID}\n`,
  ])('says that a command did not begin: %s', error => {
    const { status, stderr } = push(['', 1, error]);
    const said = 'hotcast: the controller ended before the command began; run the command again\n';
    expect({ status, stderr }).toEqual({ status: 2, stderr: error + said });
  });

  it('looks the result of a change up when its container was removed', () => {
    const lost = 'Error response from daemon: No such exec instance: 0a1b\n';
    const { status, stdout } = push(['', 1, lost], ['change c wrote nothing; no node has changed\n', 2]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: 'change c wrote nothing; no node has changed\n' });
  });

  it('gives the exit status of a command that failed, with its errors', () => {
    const { status, stderr } = push(['', 1, 'demo: Container is not running\n']);
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'demo: Container is not running\n' });
  });
});
