import * as v from 'valibot';

import { decode } from '../../../protocol/codec.ts';
import { malformedAnswer, prepareAnswer } from '../../../protocol/messages.ts';
import type { Refusal } from '../api/results.ts';
import type { BuiltBundle } from '../build/build.ts';
import { scatterGather, type Timed } from '../fleet/scatter-gather.ts';
import type { Audience, RolloutContext } from './context.ts';
import { malformedRefusal } from './node-outcomes.ts';

const prepareReply = v.variant('status', [prepareAnswer, malformedAnswer]);
type PrepareReply = v.InferOutput<typeof prepareReply>;

/** `answered`: the nodes that answered for every bundle. `ms`: until all had answered, milliseconds. */
export type Preparation =
  | { readonly status: 'prepared'; readonly answered: ReadonlySet<string>; readonly ms: number }
  | {
      readonly status: 'refused';
      readonly answered: ReadonlySet<string>;
      readonly refusals: readonly Refusal[];
      readonly ms: number;
    }
  | { readonly status: 'unanswered'; readonly ms: number };

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
      scatterGather<PrepareReply>(nats, {
        ask: inbox => store.putBundle(bundle, packed, { answerTo: inbox, force }),
        decode: bytes => decode(prepareReply, bytes),
        expected,
        timeoutMs,
        onAnswer: answered => onAnswer?.('prepare', answered),
      }),
    ),
  );
  const ms = performance.now() - startedAt;
  const [first, ...others] = replies;
  const answered = new Set([...(first?.keys() ?? [])].filter(node => others.every(each => each.has(node))));
  if (answered.size === 0) return { status: 'unanswered', ms };
  const refusals = replies.flatMap(each => [...each.values()].flatMap(refusalIn));
  return refusals.length > 0 ? { status: 'refused', answered, refusals, ms } : { status: 'prepared', answered, ms };
}

function refusalIn({ answer }: Timed<PrepareReply>): Refusal[] {
  switch (answer.status) {
    case 'prepared':
      return [];
    case 'refused':
      return [answer];
    case 'malformed':
      return [malformedRefusal(answer)];
    default: {
      const check: never = answer;
      return check;
    }
  }
}
