import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { measureHttp } from './http/http.ts';
import { httpText } from './http/report.ts';
import { ROOT, run } from './run.ts';

/** The rounds of a quick comparison: it takes less than three minutes. */
const ROUNDS = 5;

/** What the last commit had, in a folder: the state before a change. */
async function committed(folder: string): Promise<string> {
  const checkout = join(folder, 'before');
  await run('git', ['worktree', 'add', '--detach', '--force', checkout, 'HEAD']);
  await run('ln', ['-s', join(ROOT, 'node_modules'), checkout]);
  return checkout;
}

// The container reads from this folder.
process.umask(0o022);
const folder = mkdtempSync(join(tmpdir(), 'hotcast-bench-'));
chmodSync(folder, 0o755);
const { AGAINST, NODE_BASE } = process.env;
try {
  const against = AGAINST ? resolve(AGAINST) : await committed(folder);
  const programs = join(folder, 'programs');
  await run('mkdir', [programs]);
  const servers = ['node-server', 'node:http', 'ws'];
  const options = { rounds: ROUNDS, against, servers, image: NODE_BASE || 'node:26-slim', folder: programs };
  process.stdout.write(`${httpText(await measureHttp(options))}\n`);
} finally {
  if (!AGAINST) await run('git', ['worktree', 'remove', '--force', join(folder, 'before')]);
  rmSync(folder, { recursive: true, force: true });
}
