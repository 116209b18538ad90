import type { Head } from '../../../protocol/head.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { whyOf } from '../../../protocol/history/why.ts';
import type { CommandOf } from '../api/command.ts';
import type { Client } from '../api/report.ts';
import type { HeadChangeResult } from '../api/results.ts';
import { inOrder } from '../fleet/ask-nodes.ts';
import { awaitCommit } from '../rollout/commit.ts';
import { askForNewerHeads } from '../rollout/newer-heads.ts';
import { type ChangeReason, type HeadChange, type HeadsWritten, writeHeads } from '../rollout/write-heads.ts';
import type { CommandContext } from './context.ts';
import { expectedNodes, warnOfDeparted } from './select-nodes.ts';

/** What holds for a client that goes before anything was written. */
export const NOTHING_CHANGED = 'nothing was changed on any node; to go on, run the command again';

/** What holds for a client that goes while heads are written. */
export function unknown(command: string, modules: readonly string[]): string {
  return `whether the ${command} is committed is not known yet; see: ${modules.map(module => `hotcast history ${module}`).join(', ')}`;
}

/** What holds for a client that goes after heads were written. */
export function committed(heads: readonly Head[]): string {
  const what = heads.map(({ module, revision, canary }) => {
    const next = canary?.revision ?? revision;
    if (next === null) return `${module} is removed`;
    return `${module}@${shortRevision(next)} is committed${canary === null ? '' : ' as a canary'}`;
  });
  return `${what.join(', ')}; the nodes follow, and all of them go back if one refuses; see: hotcast status`;
}

interface HeadCommand extends Pick<CommandOf<'promote'>, 'modules' | 'timeoutMs'> {
  readonly type: HeadChangeResult['command'];
}

/** Changes heads without a bundle: writes them, and awaits the commit. */
export async function changeHeads(
  context: CommandContext,
  { type: command, modules: names, timeoutMs }: HeadCommand,
  { report, signal, holds }: Client,
  write: () => Promise<HeadsWritten>,
): Promise<HeadChangeResult> {
  holds(NOTHING_CHANGED);
  const members = await context.membership.expected();
  const expected = expectedNodes(members, report);
  const { awaited, departed } = members;
  await askForNewerHeads(context, names, { expected: awaited, departed, timeoutMs });
  signal.throwIfAborted();
  holds(unknown(command, names), true);
  const written = await write();
  const modules = written.heads.map(({ module, revision }) => ({ module, revision }));
  if (written.status === 'overtaken') {
    const times = { write: 0, commit: 0, skew: 0 };
    return { command, modules, outcome: 'overtaken', detail: written.detail, nodes: [], times };
  }
  holds(committed(written.heads));
  const onAnswer = (phase: string, answered: number, node: string): void =>
    report({ type: 'progress', phase, answered, expected: expected.size, node });
  const { outcome, detail, nodes, ms, skew } = await awaitCommit(context, written.heads, {
    expected,
    awaited,
    departed,
    timeoutMs,
    onAnswer,
  });
  context.membership.noteSilent(nodes.filter(({ status }) => status === 'silent').map(({ node }) => node));
  warnOfDeparted({ expected, departed }, nodes, report);
  return { command, modules, outcome, detail, nodes: inOrder(nodes), times: { write: written.ms, commit: ms, skew } };
}

/** Writes a head for each module, with the revision that `decide` makes of its last head. */
export async function writeEach(
  { store }: CommandContext,
  { modules, author, change, ...said }: CommandOf<'promote' | 'remove'>,
  reason: Omit<ChangeReason, 'author' | 'push'>,
  decide: (module: string, last: Head | null) => Pick<HeadChange, 'revision' | 'manifest'>,
): Promise<HeadsWritten> {
  const changes = modules.map(async (module): Promise<HeadChange> => {
    const last = await store.lastHead(module);
    const { revision, manifest } = decide(module, last.head);
    return { module, revision, manifest, canary: null, last, force: false, makeRoom: true };
  });
  return writeHeads(store, await Promise.all(changes), {
    author,
    push: change,
    lifts: 'bans',
    ...whyOf(said),
    ...reason,
  });
}
