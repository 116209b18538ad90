import { pingAnswer } from '../../../protocol/messages.ts';
import { askNodes } from '../fleet/ask-nodes.ts';
import { missingPackages } from '../rollout/missing-packages.ts';
import { loadReply, nodeOutcomes } from '../rollout/node-outcomes.ts';
import type { Handler } from './context.ts';
import { selectNodes } from './select-nodes.ts';

/** Compiles a module and loads it on one node, past the heads: what `c(demo)` is in Erlang. */
export const compile: Handler<'compile'> = async (context, { module, node, check, timeoutMs }, report, signal) => {
  const { membership, build, store, packagesTimeoutMs } = context;
  const [members, [built]] = await Promise.all([membership.expected(), build([module], check, report)]);
  if (built === undefined) throw new TypeError(`${module} was not built`);
  const asked = await selectNodes(context, members, { node }, report);
  await store.putPackages(await missingPackages(store, [built], []));
  const pongs = await askNodes(context, { verb: 'ping', ...asked, timeoutMs, signal, schema: pingAnswer });
  const pong = pongs.get(node);
  const { revision } = built.bundle;
  if (pong === undefined) return { command: 'compile', module, revision, nodes: nodeOutcomes(new Map(), asked) };
  const body = store.signLoadCommand(node, pong.answer.processId ?? '', built.packed);
  const replies = await askNodes(context, {
    verb: 'load',
    ...asked,
    timeoutMs,
    packagesTimeoutMs,
    signal,
    schema: loadReply,
    body,
  });
  return { command: 'compile', module, revision, nodes: nodeOutcomes(replies, asked) };
};
