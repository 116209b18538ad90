import { setTimeout as sleep } from 'node:timers/promises';

import { revisionsOf } from '../../../protocol/head.ts';
import { type NodeDescription, nodeDescription } from '../../../protocol/messages.ts';
import type { OnReport } from '../api/command.ts';
import type { ResultOf, StatusRow } from '../api/results.ts';
import { askNodes, inOrder, silentAmong } from '../fleet/ask-nodes.ts';
import { clockOffsets, clockWarnings } from '../fleet/clocks.ts';
import { changedModules, pushedModules } from './changed-modules.ts';
import { headsBehindNodes, lostHeadsText } from '../rollout/lost-heads.ts';
import { versionWarnings } from '../rollout/versions.ts';
import { storageProblem, storageWarning } from '../store/storage.ts';
import type { CommandContext, Handler } from './context.ts';
import { groupNames, groupWarnings } from './placement.ts';
import { selectNodes } from './select-nodes.ts';
import { statusRows } from './status-rows.ts';

/** The time between two looks of `--wait` (milliseconds). */
const WAIT_INTERVAL_MS = 200;

/**
 * Compares what should run with what runs, on every node or those of a group, and what was pushed with its sources. With `waitMs`, when
 * every node has done what it can to follow its heads, or that time is over.
 */
export const status: Handler<'status'> = async (context, { group, timeoutMs, waitMs }, report, signal) => {
  const deadline = performance.now() + waitMs;
  while (performance.now() < deadline) {
    const { nodes, silent } = await look(context, group, timeoutMs, () => undefined, signal);
    if (silent.length === 0 && !nodes.some(isPending)) break;
    await sleep(WAIT_INTERVAL_MS);
  }
  return look(context, group, timeoutMs, report, signal);
};

/** Whether a node has not said yet if it can follow its head. */
function isPending({ state }: StatusRow): boolean {
  return state === 'behind' || state === 'silent';
}

async function look(
  context: CommandContext,
  group: string | undefined,
  timeoutMs: number,
  report: OnReport,
  signal: AbortSignal,
): Promise<ResultOf<'status'>> {
  const { store } = context;
  const [heads, members, storage] = await Promise.all([store.heads(), context.membership.expected(), store.storage()]);
  const full = storageProblem(storage) ?? storageWarning(storage);
  if (full !== null) report({ type: 'warning', message: full });
  const asked = await selectNodes(context, members, { group }, report);
  const natsOffset = await context.store.natsClockOffset();
  const askedAt = Date.now();
  const named = heads.flatMap(head => revisionsOf(head).map(revision => ({ module: head.module, revision })));
  const [answers, pushed, lacking] = await Promise.all([
    askNodes(context, { verb: 'describe', ...asked, timeoutMs, signal, schema: nodeDescription }),
    pushedModules(store, heads),
    store.unreadableBundles(named),
  ]);
  const missing = silentAmong(asked, answers);
  const descriptions = new Map<string, NodeDescription | null>(missing.map(({ node }) => [node, null]));
  for (const [node, { answer }] of answers) descriptions.set(node, answer);
  const described = [...answers.values()].map(({ answer }) => answer);
  const older = store.newerText() ?? lostHeadsText(store.lostHeads()) ?? headsBehindNodes(heads, described);
  const unreadable = [...new Set(lacking.map(({ module }) => module))].toSorted();
  const warnings = [
    ...clockWarnings(clockOffsets(answers, askedAt, natsOffset)),
    ...versionWarnings(described),
    ...groupWarnings(described, await groupNames(context)),
    ...(older === null ? [] : [older]),
    ...unreadableText(unreadable),
  ];
  for (const message of warnings) report({ type: 'warning', message });
  const silent = inOrder(missing).map(({ node }) => node);
  const changed = changedModules(context, pushed);
  return { command: 'status', heads, nodes: statusRows(heads, descriptions), silent, changed, unreadable, storage };
}

/** What it means that the stream has bundles which nodes can't read. */
function unreadableText(modules: readonly string[]): string[] {
  if (modules.length === 0) return [];
  const names = modules.join(', ');
  return [
    `the stream has no bundle that this release can read of ${names}: nodes that start lack it; push again: ${names}`,
  ];
}
