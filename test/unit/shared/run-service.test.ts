import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { ROOT } from '../../support/shell.ts';

/** Runs a task with two settings in a process of its own. */
function runTask(env: Record<string, string>): {
  readonly lines: unknown[];
  readonly stderr: string;
  readonly status: number | null;
} {
  const shared = (file: string): string => JSON.stringify(join(ROOT, 'shared', file));
  const program = `
    import { CLUSTER_SETTINGS } from ${shared('cluster-config.ts')};
    import { runTask } from ${shared('run-service.ts')};
    import { path, readSettings } from ${shared('settings.ts')};
    const settings = { logLevel: CLUSTER_SETTINGS.logLevel, file: path('NEW_FILE', '/x', 'A file.', 'OLD_FILE') };
    const loadConfig = (env, warn) => readSettings(env, settings, warn);
    await runTask({ name: 'hotcast-test', loadConfig, run: async ({ file }, log) => log.info({ file }, 'done') });
  `;
  const flags = ['--import', 'tsx', '--input-type=module', '--eval', program];
  const { stdout, stderr, status } = spawnSync(process.execPath, flags, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  });
  const lines = stdout.split('\n').filter(line => line !== '');
  return { lines: lines.map(line => JSON.parse(line) as unknown), stderr, status };
}

describe('runTask', () => {
  it('logs one warning for a former name, before the task runs', () => {
    expect(runTask({ OLD_FILE: '/old' })).toEqual({
      lines: [
        expect.objectContaining({ level: 40, msg: 'OLD_FILE is deprecated: set NEW_FILE instead' }),
        expect.objectContaining({ level: 30, msg: 'done', file: '/old' }),
      ],
      stderr: '',
      status: 0,
    });
  });

  it('reports a bad variable in one line, with exit code 2', () => {
    const stderr = 'hotcast-test: LOG_LEVEL must be debug, info, warn or error\n';
    expect(runTask({ LOG_LEVEL: 'loud' })).toEqual({ lines: [], stderr, status: 2 });
  });
});
