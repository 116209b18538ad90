import type { Refusal } from '../api/results.ts';
import type { BuiltBundle } from '../build/build.ts';
import { NOBODY } from '../fleet/departures.ts';
import { scatterGather } from '../fleet/scatter-gather.ts';
import type { Audience, RolloutContext } from './context.ts';
import { prepareReply } from './node-outcomes.ts';

/** `answered`: the nodes that answered for every bundle. `ms`: until all had answered, milliseconds. */
export type Preparation = { readonly answered: ReadonlySet<string>; readonly ms: number } & (
  { readonly status: 'prepared' | 'unanswered' } | { readonly status: 'refused'; readonly refusals: readonly Refusal[] }
);

interface PrepareAudience {
  readonly signal: AbortSignal;
}

/**
 * Sends bundles to every node, which compiles them and keeps them ready. Nothing of them runs. A node shows a head that is newer
 * than those in the stream, so that the head of this push is newer still.
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
  }: Audience & PrepareAudience,
): Promise<Preparation> {
  const startedAt = performance.now();
  const replies = await Promise.all(
    bundles.map(({ bundle, packed }) =>
      scatterGather(nats, {
        ask: inbox =>
          store.putBundle(bundle, packed, { answerTo: inbox, force, after: store.highestSequence(bundle.module) }),
        schema: prepareReply,
        expected: awaited,
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
  const heard = replies.map(each => new Map([...each].filter(([node]) => !without.has(node))));
  const [first, ...others] = heard;
  const answered = new Set([...(first?.keys() ?? [])].filter(node => others.every(each => each.has(node))));
  if (answered.size === 0) return { status: 'unanswered', answered, ms };
  const answers = heard.flatMap(each => [...each.values()].map(({ answer }) => answer));
  const refusals = answers.filter(answer => answer.status === 'refused');
  return refusals.length > 0 ? { status: 'refused', answered, refusals, ms } : { status: 'prepared', answered, ms };
}
