import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

/** The project's folder. */
export const ROOT = resolve(import.meta.dirname, '..');

/**
 * Runs a program to its end in the project's folder, with `env` beside this process's own variables; gives what it
 * printed.
 *
 * @throws Error with the last line of its standard error when it fails, make's own left out.
 */
export function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn(program, args, {
    cwd: ROOT,
    env: { ...process.env, COMPOSE_PROGRESS: 'quiet', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((done, fail) => {
    child.once('error', fail).once('close', code => {
      if (code === 0) return done(stdout);
      const lines = stderr.split('\n').filter(line => line.trim() !== '' && !line.startsWith('make: '));
      fail(new Error(`${[program, ...args].join(' ')} failed (${code}): ${lines.at(-1) ?? 'it did not say why'}`));
    });
  });
}
