import { UsageError } from '../../../protocol/errors.ts';
import type { Command, OnReport } from '../api/command.ts';
import type { Result } from '../api/results.ts';
import { callNodes } from '../commands/call.ts';
import { compileOn } from '../commands/compile.ts';
import type { CommandContext } from '../commands/context.ts';
import { dryRun } from '../commands/dry-run.ts';
import { history } from '../commands/history.ts';
import { nodes } from '../commands/nodes.ts';
import { pingNodes } from '../commands/ping.ts';
import { promote } from '../commands/promote.ts';
import { purgeNodes } from '../commands/purge.ts';
import { push } from '../commands/push.ts';
import { remove } from '../commands/remove.ts';
import { rollback } from '../commands/rollback.ts';
import { rotateKeys } from '../commands/rotate-keys.ts';
import { status } from '../commands/status.ts';

/**
 * Runs one command of the CLI.
 *
 * @throws UsageError, CompileError, TypeCheckError, PreflightError and UnavailableError when nothing was sent.
 */
export async function runCommand(
  context: CommandContext,
  cookie: string,
  command: Command,
  report: OnReport,
): Promise<Result> {
  if (command.cookie !== null && command.cookie !== cookie) {
    throw new UsageError(
      `this controller does not have the cookie ${JSON.stringify(command.cookie)}; nothing was sent`,
    );
  }
  switch (command.type) {
    case 'push':
      return command.dryRun ? dryRun(context, command, report) : push(context, command, report);
    case 'rollback':
      return rollback(context, command, report);
    case 'promote':
      return promote(context, command, report);
    case 'remove':
      return remove(context, command, report);
    case 'compile':
      return compileOn(context, command, report);
    case 'call':
      return callNodes(context, command, report);
    case 'purge':
      return purgeNodes(context, command, report);
    case 'ping':
      return pingNodes(context, command, report);
    case 'nodes':
      return nodes(context, command, report);
    case 'status':
      return status(context, command, report);
    case 'history':
      return history(context, command);
    case 'keys rotate':
      return rotateKeys(context, command);
    default: {
      const check: never = command;
      return check;
    }
  }
}
