import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
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

/** Starts a service in a process of its own. `dispose` is the body of its end. */
function runService(dispose: string) {
  const shared = (file: string): string => JSON.stringify(join(ROOT, 'shared', file));
  const program = `
    import { CLUSTER_SETTINGS } from ${shared('cluster-config.ts')};
    import { runService } from ${shared('run-service.ts')};
    import { readSettings } from ${shared('settings.ts')};
    setInterval(() => {}, 1_000);
    const start = async (_, log) => {
      log.info({}, 'ready');
      return { [Symbol.asyncDispose]: async () => { log.info({}, 'stopping'); ${dispose} } };
    };
    await runService({ name: 'hotcast-test', loadConfig: (env, warn) => readSettings(env, CLUSTER_SETTINGS, warn), start });
  `;
  const flags = ['--import', 'tsx', '--input-type=module', '--eval', program];
  const child = spawn(process.execPath, flags, { cwd: ROOT, env: { PATH: process.env['PATH'] } });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const messages = (): unknown[] => output.split('\n').flatMap(line => /"msg":"([^"]+)"/.exec(line)?.slice(1) ?? []);
  const logged = (message: string) => expect.poll(messages, { timeout: 10_000 }).toContain(message);
  return { child, messages, logged };
}

describe('runService', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends the service and exits with code 0 at %s', async signal => {
    const { child, messages, logged } = runService(`await new Promise(resolve => setTimeout(resolve, 10));`);
    await logged('ready');
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(messages()).toEqual(['ready', 'stopping', 'stopped']);
  });

  it('exits at once with code 1 at a second signal', async () => {
    const { child, messages, logged } = runService(`await new Promise(() => {});`);
    await logged('ready');
    child.kill('SIGTERM');
    await logged('stopping');
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(messages()).toEqual(['ready', 'stopping', 'ended at once by a second signal']);
  });

  it('exits with code 1 when the service can not end', async () => {
    const { child, messages, logged } = runService(`throw new Error('stuck');`);
    await logged('ready');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(messages()).toEqual(['ready', 'stopping', 'stopped with an error']);
  });
});
