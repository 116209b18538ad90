import type { Head } from '../../../protocol/head.ts';
import { awaitCommit } from './commit.ts';
import type { Audience, RolloutContext } from './context.ts';
import { CONTROLLER } from './roll-back.ts';

/** Awaits the commit of heads that the controller wrote by itself, and writes down what came of it. */
export async function awaitAndAudit(
  context: RolloutContext,
  command: string,
  heads: readonly Head[],
  detail: string,
  audience: () => Promise<Audience>,
): Promise<void> {
  const { outcome } = await awaitCommit(context, heads, await audience());
  await context.audit.write({
    at: Date.now(),
    change: heads[0]?.push ?? null,
    author: CONTROLLER,
    command,
    modules: heads.map(({ module, revision }) => ({ module, revision })),
    outcome,
    detail,
  });
}

/** Awaits the commit of heads whose controller ended before the result, or could not tell it. */
export async function finishAndAudit(
  context: RolloutContext,
  heads: readonly Head[],
  audience: () => Promise<Audience>,
): Promise<void> {
  const [head] = heads;
  if (head === undefined) return;
  const detail = `${head.note} by ${head.author}, whose controller ended before the result`;
  await awaitAndAudit(context, 'finish', heads, detail, audience);
}
