import { UsageError } from '../../../protocol/errors.ts';
import type { Command } from '../api/command.ts';
import type { Client } from '../api/report.ts';
import type { Result } from '../api/results.ts';
import { audit } from '../commands/records/audit.ts';
import { events } from '../commands/records/events.ts';
import { bans, lift } from '../commands/kept-off/bans.ts';
import { call } from '../commands/call/call.ts';
import { compile } from '../commands/compile.ts';
import type { CommandContext, Handler } from '../commands/context.ts';
import { dev } from '../commands/dev/dev.ts';
import { errors } from '../commands/logs/errors.ts';
import { tail } from '../commands/logs/tail.ts';
import { doctor } from '../commands/doctor.ts';
import { dryRun } from '../commands/dry-run.ts';
import { evaluate, session } from '../commands/shell/evaluate.ts';
import { exportedNames } from '../commands/shell/exported-names.ts';
import { history } from '../commands/records/history.ts';
import { nodes } from '../commands/nodes/nodes.ts';
import { ping } from '../commands/nodes/ping.ts';
import { names } from '../commands/nodes/names.ts';
import { version } from '../commands/nodes/version.ts';
import { purge } from '../commands/purge.ts';
import { promote } from '../commands/promote.ts';
import { push } from '../commands/push.ts';
import { remove } from '../commands/remove.ts';
import { result } from '../commands/records/result.ts';
import { restore } from '../commands/restore.ts';
import { repair } from '../commands/repair.ts';
import { rollback } from '../commands/rollback.ts';
import { revokeKey, rotateKeys } from '../commands/keys.ts';
import { status } from '../commands/status.ts';
import { checkVersions } from '../rollout/versions.ts';
import { announced } from '../commands/records/announced.ts';
import { audited } from '../commands/records/audited.ts';
import { nameDebugged } from './debugged-nodes.ts';
import { addOperator, listOperators, revokeOperator } from '../commands/operators/operators.ts';
import { withSourcesOf } from '../commands/operators/remote-sources.ts';
import { operatorOf } from './operators/operator-of.ts';

const handlers: { readonly [T in Command['type']]: Handler<T, Result> } = {
  push: (context, command, ...client) => (command.dryRun ? dryRun : push)(context, command, ...client),
  dev,
  rollback,
  promote,
  remove,
  restore,
  repair,
  compile,
  call,
  purge,
  tail,
  errors,
  exports: exportedNames,
  evaluate,
  session,
  ping,
  nodes,
  names,
  version,
  doctor,
  status,
  bans,
  lift,
  history,
  audit,
  events,
  result,
  'operator add': addOperator,
  'operator list': listOperators,
  'operator revoke': revokeOperator,
  'keys rotate': rotateKeys,
  'keys revoke': revokeKey,
};

/**
 * Runs one command of the CLI on the controller of a cookie.
 *
 * @throws UsageError, SourceError, PreflightError, UnavailableError, VersionError and ForbiddenError when nothing was sent.
 */
export async function runCommand(
  context: CommandContext,
  cookie: string,
  given: Command,
  ...client: readonly [Client['report'], Client['signal'], Client['holds']]
): Promise<Result> {
  const { operator, command } = operatorOf(context.operatorSessions, given);
  if (command.cookie !== null && command.cookie !== cookie) {
    throw new UsageError(
      `this controller does not have the cookie ${JSON.stringify(command.cookie)}; nothing was sent`,
    );
  }
  const run = handlers[command.type] as Handler<Command['type'], Result>;
  const [report, ...rest] = client;
  const done = await audited(context.audit, command, report, async () => {
    await operator?.admit(command);
    return announced(context, command, report, async announcing => {
      await checkVersions(context, command);
      const own = operator === null ? context : await withSourcesOf(operator, context, command);
      return run(own, command, announcing, ...rest);
    });
  });
  return nameDebugged(done, context.membership.isDebugged);
}
