import type { Refusal } from '../api/results.ts';
import type { BuiltBundle } from '../build/build.ts';
import { scatterGather } from '../fleet/scatter-gather.ts';
import type { Audience, RolloutContext } from './context.ts';
import { prepareReply } from './node-outcomes.ts';

/** What came of the bundles on the nodes. */
export interface Preparation {
  /** The nodes that answered for every bundle. */
  readonly answered: ReadonlySet<string>;
  /** None when no node answered for every bundle. */
  readonly refusals: readonly Refusal[];
  /** Until all had answered, milliseconds. */
  readonly ms: number;
}

/** Sends bundles to every node, which compiles them and keeps them ready. Nothing of them runs. */
export async function prepare(
  { nats, store }: RolloutContext,
  bundles: readonly BuiltBundle[],
  force: boolean,
  { expected, timeoutMs, onAnswer }: Audience,
): Promise<Preparation> {
  const startedAt = performance.now();
  const replies = await Promise.all(
    bundles.map(({ bundle, packed }) =>
      scatterGather(nats, {
        ask: inbox => store.putBundle(bundle, packed, { answerTo: inbox, force }),
        schema: prepareReply,
        expected,
        timeoutMs,
        onAnswer: answered => onAnswer?.('prepare', answered),
      }),
    ),
  );
  const ms = performance.now() - startedAt;
  const [first, ...others] = replies;
  const answered = new Set([...(first?.keys() ?? [])].filter(node => others.every(each => each.has(node))));
  if (answered.size === 0) return { answered, refusals: [], ms };
  const answers = replies.flatMap(each => [...each.values()].map(({ answer }) => answer));
  return { answered, refusals: answers.filter(answer => answer.status === 'refused'), ms };
}
