import { decode } from '../../../protocol/codec.ts';
import type { CompileCommand, OnReport } from '../api/command.ts';
import type { CompileResult } from '../api/results.ts';
import { scatterGather } from '../fleet/scatter-gather.ts';
import { type LoadReply, loadReply, nodeOutcomes } from '../rollout/node-outcomes.ts';
import type { CommandContext } from './context.ts';
import { selectNodes } from './select-nodes.ts';

/** Compiles a module and loads it on one node, past the heads: what `c(demo)` is in Erlang. */
export async function compileOn(
  { nats, subjects, store, membership, build }: CommandContext,
  { module, node, check, timeoutMs }: CompileCommand,
  report: OnReport,
): Promise<CompileResult> {
  const [members, [built]] = await Promise.all([membership.expected(), build([module], check, report)]);
  if (built === undefined) throw new TypeError(`${module} was not built`);
  const { bundle, packed } = built;
  const expected = selectNodes(members, node, report);
  const replies = await scatterGather<LoadReply>(nats, {
    ask: inbox => nats.publish(subjects.node(node, 'load'), store.signLoadCommand(node, packed), { reply: inbox }),
    decode: bytes => decode(loadReply, bytes),
    expected,
    timeoutMs,
  });
  return { command: 'compile', module, revision: bundle.revision, nodes: nodeOutcomes(replies, expected) };
}
