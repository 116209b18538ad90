import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, vi } from 'vitest';

import type { Command } from '../../../../controller/src/api/command.ts';
import type { ResultOf } from '../../../../controller/src/api/results.ts';
import { runCli, type Terminal } from '../../../../controller/src/cli/program.ts';
import { PACKAGE_VERSION } from '../../../../shared/package-version.ts';
import { type Run, serveControl } from '../../../../controller/src/server/control-server.ts';
import type { Why } from '../../../../protocol/history/why.ts';
import { recordingLog } from '../../fixtures.ts';

export const pong: ResultOf<'ping'> = { command: 'ping', nodes: [{ node: 'fred', status: 'pong', ms: 1 }] };
export const oneSilent: ResultOf<'ping'> = {
  command: 'ping',
  nodes: [...pong.nodes, { node: 'betty', status: 'silent' }],
};

/** The id of the change that a command makes. */
export const CHANGE = '0b5e6f7c-3d8a-4c1e-9f2b-7a6d5c4b3a29';

let folder: string;
export let socketPath: string;
/** What ends with a test. */
export const servers: AsyncDisposable[] = [];
export const log = recordingLog();

/** Gives each test of a file a socket of its own, and ends what it started. */
export function useSocket(): void {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hotcast-cli-'));
    socketPath = join(folder, 'controller.sock');
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await Promise.all(servers.splice(0).map(server => server[Symbol.asyncDispose]()));
    log.logged.length = 0;
    rmSync(folder, { recursive: true });
  });
}

/** A controller that does `run`, and remembers the commands that it was sent. */
export async function controller(run: Run = () => Promise.resolve(pong)): Promise<Command[]> {
  const commands: Command[] = [];
  const remember: Run = (command, ...client) => {
    commands.push(command);
    return run(command, ...client);
  };
  servers.push(await serveControl(socketPath, remember, log));
  return commands;
}

/** What `hotcast …` shows, and its exit status. */
export async function hotcast(
  args: readonly string[],
  {
    draw = null,
    author = 'hotcast',
    change = CHANGE,
    version = PACKAGE_VERSION,
    sources = {},
    traceparent,
  }: {
    draw?: Terminal['draw'];
    author?: string;
    change?: string;
    version?: string;
    sources?: Pick<Why, 'git'>;
    traceparent?: string;
  } = {},
) {
  const out: string[] = [];
  const err: string[] = [];
  let served = 0;
  const serve = (): Promise<void> => {
    served += 1;
    return Promise.resolve();
  };
  const terminal = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    draw,
  };
  return {
    status: await runCli(args, {
      socketPath,
      author,
      change,
      version,
      sources,
      ...(traceparent === undefined ? {} : { traceparent }),
      serve,
      terminal,
      lookupTimeoutMs: 1_000,
    }),
    out,
    err,
    served,
  };
}
