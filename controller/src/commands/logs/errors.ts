import { encode } from '../../../../protocol/codec.ts';
import { errorsAnswer } from '../../../../protocol/logs.ts';
import { askNodes, rowsOf } from '../../fleet/ask-nodes.ts';
import type { Handler } from '../context.ts';
import { selectNodes } from '../select-nodes.ts';

/** Reads the last errors of the revisions of a module, which nodes keep in memory. */
export const errors: Handler<'errors'> = async (context, { module, node, group, timeoutMs }, report, signal) => {
  const asked = await selectNodes(context, await context.membership.expected(), { node, group }, report);
  const body = encode({ module });
  const how = { verb: 'errors', ...asked, timeoutMs, signal, schema: errorsAnswer, body } as const;
  const answers = await askNodes(context, how);
  const nodes = rowsOf(asked, answers, answer => ({ ...answer, status: 'answered' as const }));
  return { command: 'errors', module, nodes };
};
