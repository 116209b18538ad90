import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { ROOT } from '../../../support/shell.ts';

const STOPPED = 'OCI runtime exec failed: exec failed: cannot exec in a stopped container: unknown';

/** Runs `setup/hotcast push demo` with an engine that answers each `docker exec` with the next output and status. */
function push(...answers: readonly (readonly [output: string, status: number])[]) {
  const folder = mkdtempSync(join(tmpdir(), 'hotcast-lost-'));
  const lines = answers.map(([output, status], index) => `${index + 1}) printf '%s' '${output}'; exit ${status} ;;`);
  const script = `#!/bin/sh
[ "$1" = ps ] && { echo controller; exit; }
echo x >>'${folder}/execs'
case $(wc -l <'${folder}/execs') in
${lines.join('\n')}
*) exit 99 ;;
esac
`;
  writeFileSync(join(folder, 'docker'), script, { mode: 0o755 });
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` };
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
});
