import type { Command } from '../../api/command.ts';
import type { OperatorSession } from '../../api/operator-session.ts';
import type { CommandContext } from '../context.ts';

/** The context of a command whose sources are with an operator. */
export async function withSourcesOf(
  _operator: OperatorSession,
  context: CommandContext,
  _command: Command,
): Promise<CommandContext> {
  return context;
}
