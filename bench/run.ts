import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** The project's folder. */
export const ROOT = resolve(import.meta.dirname, '..');

export interface Where {
  /** Default: the project's folder. */
  readonly cwd?: string;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a program to its end and returns its standard output.
 *
 * @throws Error with the last line of its standard error when it fails.
 */
export async function run(program: string, args: readonly string[], { cwd = ROOT, env }: Where = {}): Promise<string> {
  // A `make` that is started here must not see the variables of the one that started the benchmark.
  const all = { ...process.env, MAKEFLAGS: '', MFLAGS: '', MAKELEVEL: '', COMPOSE_PROGRESS: 'quiet', ...env };
  try {
    return (await exec(program, args, { cwd, env: all, maxBuffer: 2 ** 26 })).stdout;
  } catch (cause) {
    const { stderr = '' } = cause as { readonly stderr?: string };
    const lines = stderr.split('\n').filter(line => line.trim() !== '' && !line.startsWith('make: '));
    throw new Error(`${[program, ...args].join(' ')} failed: ${lines.at(-1) ?? String(cause)}`, { cause });
  }
}
