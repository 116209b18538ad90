import type { Bundle } from '../../../protocol/bundle.ts';
import type { Head } from '../../../protocol/head.ts';
import { isInGroups } from '../../../protocol/placement/groups.ts';
import type { Refusal } from '../api/results.ts';
import type { BuiltBundle } from '../build/build.ts';
import { NOBODY } from '../fleet/departures.ts';
import { scatterGather } from '../fleet/scatter-gather.ts';
import type { Audience, RolloutContext } from './context.ts';
import { prepareReply } from './node-outcomes.ts';

/** `answered`: the nodes that answered for every bundle that goes to them. `ms`: until all had answered, milliseconds. */
export type Preparation = { readonly answered: ReadonlySet<string>; readonly ms: number } & (
  { readonly status: 'prepared' | 'unanswered' } | { readonly status: 'refused'; readonly refusals: readonly Refusal[] }
);

interface PrepareAudience {
  readonly signal: AbortSignal;
  /** The heads that are to be committed then, unless a node shows a newer one: their envelopes are not sent, only their hashes. */
  readonly heads?: readonly Head[];
}

/**
 * Sends bundles to every node of their groups, which compiles them and keeps them ready. Nothing of them runs. A node shows a head
 * that is newer than those in the stream, so that the head of this push is newer still.
 */
export async function prepare(
  { nats, store, packagesTimeoutMs }: RolloutContext,
  bundles: readonly BuiltBundle[],
  force: boolean,
  {
    expected,
    awaited = expected,
    departed = NOBODY,
    without = new Set(),
    timeoutMs,
    onAnswer,
    signal,
    heads = [],
  }: Audience & PrepareAudience,
): Promise<Preparation> {
  const startedAt = performance.now();
  const headOf = ({ module }: Bundle) => {
    const head = heads.find(each => each.module === module);
    return head === undefined ? {} : { head: store.signHead(head) };
  };
  const replies = await Promise.all(
    bundles.map(({ bundle, packed, groups }) =>
      scatterGather(nats, {
        ask: inbox =>
          store.putBundle(bundle, packed, {
            answerTo: inbox,
            force,
            after: store.highestSequence(bundle.module),
            groups,
            ...headOf(bundle),
          }),
        schema: prepareReply,
        expected: new Set([...awaited].filter(node => isInGroups(groups, node))),
        departed,
        timeoutMs,
        packagesTimeoutMs,
        signal,
        onAnswer: (answered, node) => onAnswer?.('prepare', answered, node),
      }),
    ),
  );
  bundles.forEach(({ bundle: { module } }, index) => {
    for (const { answer } of replies[index]?.values() ?? []) {
      if ('newerHead' in answer) store.noteHead(module, Buffer.from(answer.newerHead, 'base64'));
    }
  });
  const ms = performance.now() - startedAt;
  // They can say what they like.
  const heard = replies.map((each, index) => {
    const groups = bundles[index]?.groups ?? null;
    return new Map([...each].filter(([node]) => !without.has(node) && isInGroups(groups, node)));
  });
  const all = new Set(heard.flatMap(each => [...each.keys()]));
  const isMissing = (node: string): boolean =>
    bundles.some(({ groups }, index) => isInGroups(groups, node) && heard[index]?.has(node) !== true);
  const answered = new Set([...all].filter(node => !isMissing(node)));
  if (answered.size === 0) return { status: 'unanswered', answered, ms };
  const answers = heard.flatMap(each => [...each.values()].map(({ answer }) => answer));
  const refusals = answers.filter(answer => answer.status === 'refused');
  return refusals.length > 0 ? { status: 'refused', answered, refusals, ms } : { status: 'prepared', answered, ms };
}
