import { describe, expect, it } from 'vitest';

import { runCli } from '../../../../controller/src/cli/program.ts';
import { operationOf, operationOfLine } from '../../../../controller/src/api/operation.ts';
import { controller, socketPath, useSocket } from '../cli/run-cli.ts';

useSocket();

describe('the operation of a command line', () => {
  // NATS goes by the words, the controller by the command that comes of them: an operator with the right could do neither if they differ.
  it.each([
    ['push', 'demo'],
    ['push', '--dry-run', 'demo'],
    ['promote', 'demo'],
    ['compile', 'demo', '--node', 'fred'],
    ['rollback', 'demo'],
    ['remove', 'demo'],
    ['repair', 'demo'],
    ['purge', 'demo'],
    ['soft-purge', 'demo'],
    ['bans'],
    ['bans', '--lift', 'demo'],
    ['bans', '--lift=demo'],
    ['bans', '--node', 'fred'],
    ['call', 'demo.add(4, 5)'],
    ['tail'],
    ['errors', 'demo'],
    ['ping'],
    ['nodes'],
    ['status'],
    ['history'],
    ['audit'],
    ['events'],
    ['result', '0b5e6f7c-3d8a-4c1e-9f2b-7a6d5c4b3a29'],
    ['doctor'],
    ['version'],
    ['--version'],
    ['completion', 'nodes'],
  ])('is that of its command: %s %s', async (...args) => {
    const commands = await controller(() => Promise.reject(new Error('enough')));
    const quiet = (): void => undefined;
    await runCli(args, {
      socketPath,
      author: 'x',
      lookupTimeoutMs: 1,
      terminal: { out: quiet, err: quiet, draw: null },
    });
    const [command] = commands;
    expect(command && operationOf(command)).toBe(operationOfLine(args));
  });
});
