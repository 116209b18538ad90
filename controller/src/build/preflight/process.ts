import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

/**
 * Returns what starts a process of the preflight: a Node.js without permissions (no files except those of packages, no network,
 * processes, workers, addons).
 *
 * @param script its program: `child/main.ts`, bundled.
 * @param readable the folders that it can read: those that packages are in.
 */
export function preflightProcess(script: string, readable: readonly string[]): () => ChildProcess {
  const allowed = [script, ...readable.map(folder => join(folder, '*'))].map(path => `--allow-fs-read=${path}`);
  // Node.js's own flags stay: V8 accepts a code cache only with the same flags.
  return () =>
    spawn(process.execPath, [...process.execArgv, '--permission', ...allowed, script], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { NODE_ENV: 'production' },
    });
}
