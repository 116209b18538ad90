import { encode } from '../../../protocol/codec.ts';
import { headsAnswer, type HeadsRequest } from '../../../protocol/messages.ts';
import { askNodes } from '../fleet/ask-nodes.ts';
import { NOBODY } from '../fleet/departures.ts';
import type { Audience, RolloutContext } from './context.ts';

/** Nodes have the answer in memory (milliseconds). */
const MAX_TIMEOUT_MS = 1_000;

/**
 * Asks the nodes for heads that are newer than those in the stream, which was lost or restored since. New heads then count on from
 * them: a node refuses what is older than what it has seen.
 */
export async function askForNewerHeads(
  context: RolloutContext,
  modules: readonly string[],
  { expected, departed = NOBODY, timeoutMs }: Pick<Audience, 'expected' | 'departed' | 'timeoutMs'>,
): Promise<void> {
  const { store } = context;
  const above = Object.fromEntries(modules.map(module => [module, store.highestSequence(module)]));
  const answers = await askNodes(context, {
    verb: 'heads',
    body: encode({ above } satisfies HeadsRequest),
    expected,
    departed,
    timeoutMs: Math.min(timeoutMs, MAX_TIMEOUT_MS),
    schema: headsAnswer,
  });
  for (const { answer } of answers.values()) {
    for (const [module, envelope] of Object.entries(answer.heads))
      store.noteHead(module, Buffer.from(envelope, 'base64'));
  }
}
