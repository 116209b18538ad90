import { type NodeDescription, nodeDescription } from '../../../protocol/messages.ts';
import { askNodes, inOrder, silentAmong } from '../fleet/ask-nodes.ts';
import { changedModules, pushedModules } from './changed-modules.ts';
import type { Handler } from './context.ts';
import { expectedNodes } from './select-nodes.ts';
import { statusRows } from './status-rows.ts';

/** Compares what should run with what runs, on every node, and what was pushed with its sources. */
export const status: Handler<'status'> = async (context, { timeoutMs }, report, signal) => {
  const [heads, members] = await Promise.all([context.store.heads(), context.membership.expected()]);
  const expected = expectedNodes(members, report);
  const [answers, pushed] = await Promise.all([
    askNodes(context, { verb: 'describe', expected, timeoutMs, signal, schema: nodeDescription }),
    pushedModules(context.store, heads),
  ]);
  const descriptions = new Map<string, NodeDescription | null>([...expected].map(node => [node, null]));
  for (const [node, { answer }] of answers) descriptions.set(node, answer);
  const silent = inOrder(silentAmong(expected, answers)).map(({ node }) => node);
  const changed = changedModules(context, pushed);
  return { command: 'status', heads, nodes: statusRows(heads, descriptions), silent, changed };
};
