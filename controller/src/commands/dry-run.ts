import { encode } from '../../../protocol/codec.ts';
import type { ResultOf } from '../api/results.ts';
import { askNodes, inOrder, silentAmong } from '../fleet/ask-nodes.ts';
import { dryRunReply } from '../rollout/node-outcomes.ts';
import { missingPackages } from '../rollout/missing-packages.ts';
import { prepare } from '../rollout/prepare.ts';
import { modulesToPush } from './changed-modules.ts';
import type { Handler } from './context.ts';
import { bannedFrom, nodesWithout } from './kept-off/without-option.ts';
import { expectedNodes } from './select-nodes.ts';

/**
 * A push that stops before the commit: every node that the push would go to prepares the modules and evaluates them apart, on a copy of its live data.
 * No head is written, and no node changes what it runs.
 *
 * @throws UsageError, SourceError and PreflightError before anything was sent.
 */
export const dryRun: Handler<'push', ResultOf<'dry-run'>> = async (context, command, report, signal) => {
  const { check, force, timeoutMs, without = [] } = command;
  const names = await modulesToPush(context, command, report);
  if (names.length === 0) return { command: 'dry-run', modules: [], nodes: [] };
  const [members, lasts, built] = await Promise.all([
    context.membership.expected(),
    Promise.all(names.map(module => context.store.lastHead(module))),
    context.build(names, check, report),
  ]);
  const { departed } = members;
  const expected = nodesWithout(expectedNodes(members, report), without, report);
  const modules = built.map(({ bundle: { module, revision } }) => ({ module, revision }));
  await context.store.putPackages(await missingPackages(context.store, built, await context.store.heads()));
  const prepared = await prepare(context, built, force, {
    expected,
    departed,
    without: new Set(without),
    timeoutMs,
    signal,
  });
  const pushed = modules.map((each, index) => ({ ...each, last: lasts[index] ?? { head: null, position: 0 } }));
  const banned = force ? [] : bannedFrom(pushed, expected);
  const said = prepared.status === 'refused' ? prepared.refusals : [];
  const refusals = [...banned, ...said.filter(({ node }) => !banned.some(each => each.node === node))];
  const refused = new Set(refusals.map(({ node }) => node));
  const answers = await askNodes(context, {
    verb: 'dry-run',
    expected: new Set([...prepared.answered].filter(node => !refused.has(node))),
    departed,
    timeoutMs,
    signal,
    schema: dryRunReply,
    body: encode({ modules }),
  });
  const evaluated = [...answers.values()]
    .map(({ answer }) => answer)
    .filter(({ node }) => !refused.has(node) && !without.includes(node));
  const rows = [...refusals, ...evaluated];
  const silent = silentAmong({ expected, departed }, new Set(rows.map(({ node }) => node)));
  return { command: 'dry-run', modules, nodes: inOrder([...rows, ...silent]) };
};
