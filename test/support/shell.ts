import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

/** How a command ended, and what it printed. */
export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The project's folder. */
export const ROOT = resolve(import.meta.dirname, '../..');

/** Runs a program in the project's folder, as a user does, with `env` beside this process's own variables. */
export function run(program: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  // Tests may run below a make of their own; its options are not for the make that is tested.
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
