import { encode } from '../../../protocol/codec.ts';
import { type Groups, isInGroups } from '../../../protocol/placement/groups.ts';
import type { ResultOf } from '../api/results.ts';
import { askNodes, inOrder, silentAmong } from '../fleet/ask-nodes.ts';
import { dryRunReply } from '../rollout/node-outcomes.ts';
import { missingPackages } from '../rollout/missing-packages.ts';
import { prepare } from '../rollout/prepare.ts';
import { manifestFrom } from '../build/manifest.ts';
import { modulesToPush } from './changed-modules.ts';
import type { Handler } from './context.ts';
import { placeModules } from './placement.ts';
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
  const all = nodesWithout(expectedNodes(members, report), without, report);
  const modules = built.map(({ bundle: { module, revision } }) => ({ module, revision }));
  const heads = await context.store.heads();
  const placed = built.map(({ bundle, sources, packages, groups }, index) => {
    const { imports } = manifestFrom(bundle, sources, packages?.manifest);
    return { module: bundle.module, groups, imports: Object.keys(imports), last: lasts[index]?.head ?? null };
  });
  const { in: expected } = placeModules(placed, all, heads, context.membership.present());
  await context.store.putPackages(await missingPackages(context.store, built, heads));
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
    body: encode({ modules: modules.map((each, index) => withGroups(each, built[index]?.groups ?? null)) }),
  });
  const evaluated = [...answers.values()]
    .map(({ answer }) => answer)
    .filter(({ node }) => !refused.has(node) && !without.includes(node))
    .filter(({ node }) => built.some(({ groups }) => isInGroups(groups, node)));
  const rows = [...refusals, ...evaluated];
  const silent = silentAmong({ expected, departed }, new Set(rows.map(({ node }) => node)));
  return { command: 'dry-run', modules, nodes: inOrder([...rows, ...silent]) };
};

function withGroups<T extends object>(module: T, groups: Groups | null) {
  return groups === null ? module : { ...module, groups };
}
