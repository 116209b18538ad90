import { ForbiddenError } from '../../api/operation.ts';
import type { Command } from '../../api/command.ts';
import type { OperatorSession, OperatorSessions } from '../../api/operator-session.ts';

/**
 * The operator who gives a command from afar, null for somebody in the container, and the command with that operator as its author.
 *
 * @throws ForbiddenError when the session of the operator has ended.
 */
export function operatorOf(
  sessions: OperatorSessions,
  command: Command,
): { readonly operator: OperatorSession | null; readonly command: Command } {
  if (command.operatorSession === undefined) return { operator: null, command };
  const operator = sessions.get(command.operatorSession);
  if (operator === undefined) throw new ForbiddenError('the operator has gone, or was revoked; nothing was sent');
  return { operator, command: 'author' in command ? { ...command, author: operator.name } : command };
}
