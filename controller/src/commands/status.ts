import { setTimeout as sleep } from 'node:timers/promises';

import { type NodeDescription, nodeDescription } from '../../../protocol/messages.ts';
import type { OnReport } from '../api/command.ts';
import type { ResultOf, StatusRow } from '../api/results.ts';
import { askNodes, inOrder, silentAmong } from '../fleet/ask-nodes.ts';
import { clockOffsets, clockWarnings } from '../fleet/clocks.ts';
import { changedModules, pushedModules } from './changed-modules.ts';
import { headsBehindNodes, lostHeadsText } from '../rollout/lost-heads.ts';
import { storageProblem, storageWarning } from '../store/storage.ts';
import type { CommandContext, Handler } from './context.ts';
import { expectedNodes } from './select-nodes.ts';
import { statusRows } from './status-rows.ts';

/** The time between two looks of `--wait` (milliseconds). */
const WAIT_INTERVAL_MS = 200;

/**
 * Compares what should run with what runs, on every node, and what was pushed with its sources. With `waitMs`, when every node has
 * done what it can to follow its heads, or that time is over.
 */
export const status: Handler<'status'> = async (context, { timeoutMs, waitMs }, report, signal) => {
  const deadline = performance.now() + waitMs;
  while (performance.now() < deadline) {
    const { nodes, silent } = await look(context, timeoutMs, () => undefined, signal);
    if (silent.length === 0 && !nodes.some(isPending)) break;
    await sleep(WAIT_INTERVAL_MS);
  }
  return look(context, timeoutMs, report, signal);
};

/** Whether a node has not said yet if it can follow its head. */
function isPending({ state }: StatusRow): boolean {
  return state === 'behind' || state === 'silent';
}

async function look(
  context: CommandContext,
  timeoutMs: number,
  report: OnReport,
  signal: AbortSignal,
): Promise<ResultOf<'status'>> {
  const { store } = context;
  const [heads, members, storage] = await Promise.all([store.heads(), context.membership.expected(), store.storage()]);
  const full = storageProblem(storage) ?? storageWarning(storage);
  if (full !== null) report({ type: 'warning', message: full });
  const expected = expectedNodes(members, report);
  const natsOffset = await context.store.natsClockOffset();
  const askedAt = Date.now();
  const [answers, pushed] = await Promise.all([
    askNodes(context, { verb: 'describe', expected, timeoutMs, signal, schema: nodeDescription }),
    pushedModules(store, heads),
  ]);
  const warnings = clockWarnings(clockOffsets(answers, askedAt, natsOffset));
  for (const message of warnings) report({ type: 'warning', message });
  const descriptions = new Map<string, NodeDescription | null>([...expected].map(node => [node, null]));
  for (const [node, { answer }] of answers) descriptions.set(node, answer);
  const described = [...answers.values()].map(({ answer }) => answer);
  const older = lostHeadsText(store.lostHeads()) ?? headsBehindNodes(heads, described);
  if (older !== null) report({ type: 'warning', message: older });
  const silent = inOrder(silentAmong(expected, answers)).map(({ node }) => node);
  const changed = changedModules(context, pushed);
  return { command: 'status', heads, nodes: statusRows(heads, descriptions), silent, changed, storage };
}
