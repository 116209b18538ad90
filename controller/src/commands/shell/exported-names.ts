import { exportsAnswer } from '../../../../protocol/shell-messages.ts';
import { askNodes, rowsOf } from '../../fleet/ask-nodes.ts';
import type { Handler } from '../context.ts';
import { selectNodes } from '../select-nodes.ts';

/** Asks one node, or all, what its modules export. @throws UsageError when there is no such node. */
export const exportedNames: Handler<'exports'> = async (context, { node, timeoutMs }, report, signal) => {
  const asked = await selectNodes(context, await context.membership.expected(), { node }, report);
  const how = { verb: 'exports', ...asked, timeoutMs, signal, schema: exportsAnswer } as const;
  const answers = await askNodes(context, how);
  const nodes = rowsOf(asked, answers, answer => ({ ...answer, status: 'present' as const }));
  return { command: 'exports', sources: [...context.availableModules()], nodes };
};
