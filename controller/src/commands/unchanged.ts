import { isDeepStrictEqual } from 'node:util';

import { groupsOf, type Head, isOnHead, type Manifest } from '../../../protocol/head.ts';
import { isBan } from '../../../protocol/kept-off.ts';
import { nodeDescription } from '../../../protocol/messages.ts';
import { areSameGroups, type Groups } from '../../../protocol/placement/groups.ts';
import type { Silent } from '../api/results.ts';
import { type Asked, askNodes, silentAmong } from '../fleet/ask-nodes.ts';
import type { AnswerSchema, Request } from '../fleet/scatter-gather.ts';
import type { LastHead } from '../store/heads.ts';
import type { CommandContext } from './context.ts';

/** A revision that is to be pushed, and the module's last head. */
interface Wanted {
  readonly module: string;
  readonly revision: string;
  readonly sources: Manifest['sources'];
  /** Null: every group. */
  readonly groups: Groups | null;
  readonly last: LastHead;
}

/** The modules that a push has nothing to do for, and the nodes that did not say what they run. */
export interface Unchanged {
  readonly modules: ReadonlySet<string>;
  readonly silent: readonly Silent[];
}

/**
 * Finds the modules whose push would change nothing: the last head names the revision and its sources, no canary is open, a controller has
 * committed the head, the stream has the bundle as this release reads it, and every node that answers runs the revision. A node that
 * does not, because it refused the head or has loaded something else by `compile`, tries again when a new head is written. A silent one catches up by itself.
 */
export async function findUnchanged(
  context: Pick<CommandContext, 'nats' | 'subjects' | 'store'>,
  wanted: readonly Wanted[],
  asked: Required<Asked>,
  { awaited, ...wait }: Pick<Request<AnswerSchema>, 'timeoutMs' | 'signal'> & { readonly awaited: ReadonlySet<string> },
): Promise<Unchanged> {
  const named = wanted.flatMap(({ revision, sources, groups, last: { head } }) => {
    if (head === null || head.canary !== null || head.revision !== revision || isLeftOut(head)) return [];
    return hasSources(head, sources) && areSameGroups(groupsOf(head), groups) ? [head] : [];
  });
  if (named.length === 0) return { modules: new Set(), silent: [] };
  const [results, unreadable, answers] = await Promise.all([
    context.store.headResults(),
    context.store.unreadableBundles(
      named.flatMap(({ module, revision }) => (revision === null ? [] : [{ module, revision }])),
    ),
    askNodes(context, { verb: 'describe', ...asked, expected: awaited, ...wait, schema: nodeDescription }),
  ]);
  const committed = new Map(
    results.flatMap(({ module, sequence, verdict }) => (verdict === 'committed' ? [[module, sequence]] : [])),
  );
  const lost = new Set(unreadable.map(({ module }) => module));
  const nodes = [...answers.values()].map(({ answer }) => answer);
  const unchanged = named.filter(
    head =>
      committed.get(head.module) === head.sequence &&
      !lost.has(head.module) &&
      nodes.every(({ node, modules }) => isOnHead(head, node, modules[head.module])),
  );
  return { modules: new Set(unchanged.map(({ module }) => module)), silent: silentAmong(asked, answers) };
}

/** Whether the last push left a node out. A push without that option includes it. */
function isLeftOut({ keptOff, revision }: Head): boolean {
  return keptOff.some(entry => entry.revision === revision && !isBan(entry));
}

/** Whether a head names these sources. Others can have the same revision: a file without code, another version of a package. */
function hasSources({ manifest }: Head, sources: Manifest['sources']): boolean {
  return isDeepStrictEqual(manifest?.sources, sources);
}
