import { type NodeDescription, nodeDescription } from '../../../protocol/messages.ts';
import { askNodes, inOrder, silentAmong } from '../fleet/ask-nodes.ts';
import { clockOffsets, clockWarnings } from '../fleet/clocks.ts';
import { changedModules, pushedModules } from './changed-modules.ts';
import { headsBehindNodes, lostHeadsText } from '../rollout/lost-heads.ts';
import { storageProblem, storageWarning } from '../store/storage.ts';
import type { Handler } from './context.ts';
import { expectedNodes } from './select-nodes.ts';
import { statusRows } from './status-rows.ts';

/** Compares what should run with what runs, on every node, and what was pushed with its sources. */
export const status: Handler<'status'> = async (context, { timeoutMs }, report, signal) => {
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
};
