import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

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
    import { path, readSettings } from ${shared('environment.ts')};
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

/** Starts a service in a process of its own. `dispose` is the body of its end, `start` what it does before it has started. */
function runService(dispose: string, start = '') {
  const shared = (file: string): string => JSON.stringify(join(ROOT, 'shared', file));
  const program = `
    import { CLUSTER_SETTINGS } from ${shared('cluster-config.ts')};
    import { runService } from ${shared('run-service.ts')};
    import { readSettings } from ${shared('environment.ts')};
    import { UsageError } from ${JSON.stringify(join(ROOT, 'protocol/errors.ts'))};
    setInterval(() => {}, 1_000);
    const start = async (_, log) => {
      ${start}
      log.info({}, 'ready');
      return { [Symbol.asyncDispose]: async () => { log.info({}, 'stopping'); ${dispose} } };
    };
    await runService({ name: 'hotcast-test', loadConfig: (env, warn) => readSettings(env, CLUSTER_SETTINGS, warn), start });
  `;
  const flags = ['--import', 'tsx', '--input-type=module', '--eval', program];
  const child = spawn(process.execPath, flags, { cwd: ROOT, env: { PATH: process.env['PATH'] } });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  // The last line can overtake one that is being written when the process exits.
  const messages = (): string[] => output.split('\n').flatMap(line => /"msg":"([^"]+)"/.exec(line)?.slice(1) ?? []);
  const logged = (message: string) => expect.poll(messages, { timeout: 25_000 }).toContain(message);
  return { child, messages, logged, output: () => output };
}

describe('runService', () => {
  it('ends the service and exits with code 0 at a signal', async () => {
    const { child, messages, logged } = runService(`await new Promise(resolve => setTimeout(resolve, 10));`);
    await logged('ready');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(messages().toSorted()).toEqual(['ready', 'stopped', 'stopping']);
  });

  it('exits with code 2 and one line when it can not start, also if something keeps the process alive', async () => {
    const { child, output } = runService('', `throw new UsageError('port 8080 is taken');`);
    expect(await once(child, 'close')).toEqual([2, null]);
    expect(output()).toBe('hotcast-test: port 8080 is taken\n');
  });

  it('exits at once with code 1 at a second signal', async () => {
    const { child, messages, logged } = runService(`await new Promise(() => {});`);
    await logged('ready');
    child.kill('SIGTERM');
    await logged('stopping');
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(messages().toSorted()).toEqual(['ended at once by a second signal', 'ready', 'stopping']);
  });

  it('exits with code 1 when the service can not end', async () => {
    const { child, messages, logged } = runService(`throw new Error('stuck');`);
    await logged('ready');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(messages().toSorted()).toEqual(['ready', 'stopped with an error', 'stopping']);
  });
});
