import { UsageError } from '../../../../protocol/errors.ts';
import type { Manifest } from '../../../../protocol/head.ts';
import type { Command } from '../../api/command.ts';
import type { OperatorSession } from '../../api/operator-session.ts';
import { decodeSurvey } from '../../build/remote/wire.ts';
import { pushedModules } from '../changed-modules.ts';
import type { CommandContext } from '../context.ts';

/** The commands that build modules. */
const BUILDING: ReadonlySet<Command['type']> = new Set(['push', 'compile']);

/**
 * The context of a command that an operator gives: its sources are where the operator is. It is asked once what there is, before the
 * command begins; and then to build.
 *
 * @throws UsageError when the operator gives no such answer.
 */
export async function withSourcesOf(
  operator: Pick<OperatorSession, 'ask'>,
  context: CommandContext,
  command: Pick<Command, 'type'>,
): Promise<CommandContext> {
  if (!BUILDING.has(command.type)) return context;
  const pushed = await pushedModules(context.store, await context.store.heads());
  const paths = [...new Set(pushed.flatMap(({ sources }) => Object.keys(sources)))];
  const { available, unreadable, groups, hashes } = await survey(operator, paths);
  return {
    ...context,
    build: context.buildRemotely(operator.ask),
    sources: { changedAmong: sources => changedAmong(sources, hashes) },
    groups: () => Promise.resolve(new Map(groups)),
    availableModules: () => available,
    unreadableModules: () => new Map(unreadable),
  };
}

async function survey(operator: Pick<OperatorSession, 'ask'>, paths: string[]) {
  const answer = await operator.ask({ what: 'survey', paths });
  try {
    return decodeSurvey(answer);
  } catch (cause) {
    throw new UsageError('the operator does not say which modules it has; nothing was sent', { cause });
  }
}

/** The sources that are not as they were: they have another content, or are gone. */
function changedAmong(sources: Manifest['sources'], hashes: Readonly<Record<string, string>>): string[] {
  return Object.entries(sources).flatMap(([path, hash]) => (hashes[path] === hash ? [] : [path]));
}
