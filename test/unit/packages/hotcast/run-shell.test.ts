import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { standIn } from '../../../support/docker/stand-in.ts';
import { ROOT } from '../../../support/shell.ts';

/** An engine whose `docker exec` prints what it reads, until a sign ends a line. Then its exit status is 3. */
const ENGINE = `#!/bin/sh
[ "$1" = ps ] && { echo controller; exit; }
sign=$(printf '\\004')
while IFS= read -r line; do
  case $line in *"$sign") printf '%s' "\${line%"$sign"}"; exit 3 ;; esac
  echo "$line"
done
exit 9
`;

describe('setup/hotcast shell, from a pipe', () => {
  it.each(['node().\nnodes().\n', 'node().', ''])(
    'passes on the lines %j, and then says that there are no more',
    input => {
      const folder = mkdtempSync(join(tmpdir(), 'hotcast-shell-'));
      writeFileSync(join(folder, 'docker'), ENGINE, { mode: 0o755 });
      const env = { ...process.env, ...standIn(folder) };
      const hotcast = join(ROOT, 'setup/hotcast');
      const { status, stdout, stderr } = spawnSync(hotcast, ['shell'], { encoding: 'utf8', env, input });
      rmSync(folder, { recursive: true });
      expect({ status, stdout, stderr }).toEqual({ status: 3, stdout: input, stderr: '' });
    },
  );
});

/** An engine whose shell says whether it has a terminal, and ends with 4. The process beside it says when its input has ended. */
const TERMINAL_ENGINE = `#!/bin/sh
[ "$1" = ps ] && { echo controller; exit; }
case " $* " in
*' --tty '*) test -t 0 && test -t 1 && echo 'a terminal'; exit 4 ;;
esac
cat >/dev/null
echo ended >"$ENDED"
`;

describe('setup/hotcast shell, in a terminal', () => {
  it('gives the terminal to the shell, and tells the process beside it when it ends', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hotcast-shell-'));
    const ended = join(folder, 'ended');
    writeFileSync(join(folder, 'docker'), TERMINAL_ENGINE, { mode: 0o755 });
    const env = { ...process.env, ...standIn(folder), ENDED: ended };
    const line = join(ROOT, 'setup/hotcast shell');
    const { status, stdout } = spawnSync('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
      encoding: 'utf8',
      env,
    });
    expect({ status, stdout: stdout.trim() }).toEqual({ status: 4, stdout: 'a terminal' });
    await expect.poll(() => existsSync(ended), { timeout: 30_000 }).toBe(true);
    rmSync(folder, { recursive: true });
  });
});
