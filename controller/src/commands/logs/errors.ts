import { encode } from '../../../../protocol/codec.ts';
import { errorsAnswer } from '../../../../protocol/logs.ts';
import { askNodes, rowsOf } from '../../fleet/ask-nodes.ts';
import type { Handler } from '../context.ts';
import { selectNodes } from '../select-nodes.ts';

/** Reads the last errors of the revisions of a module, which nodes keep in memory. */
export const errors: Handler<'errors'> = async (context, { module, node, timeoutMs }, report, signal) => {
  const asked = selectNodes(await context.membership.expected(), node, report);
  const body = encode({ module });
  const how = { verb: 'errors', node, ...asked, timeoutMs, signal, schema: errorsAnswer, body } as const;
  const answers = await askNodes(context, how);
  const nodes = rowsOf(asked, answers, answer => ({ ...answer, status: 'answered' as const }));
  return { command: 'errors', module, nodes };
};
