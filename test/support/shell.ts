import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

import type { ProcessOutput } from '../../packages/testing/src/fleet/hotcast-commands.ts';

export type { ProcessOutput };

/** The root folder of the repository. */
export const ROOT = resolve(import.meta.dirname, '../..');

/** Runs a program in the root folder. `env` is added to the environment of this process. */
export function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ProcessOutput> {
  // When make runs the tests, its options must not reach the make that is tested.
  const { MAKEFLAGS: _, MFLAGS: __, MAKELEVEL: ___, ...inherited } = process.env;
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd: ROOT, env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', fail).once('close', code => done({ exitCode: code ?? -1, stdout, stderr }));
  });
}
