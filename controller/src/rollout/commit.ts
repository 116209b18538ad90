import { joinFrames } from '../../../protocol/bytes/framing.ts';
import { concerns, type Head, isAutomatic } from '../../../protocol/head.ts';
import type { HeadResult } from '../../../protocol/history/head-result.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import type { NodeOutcome } from '../api/results.ts';
import { askNodes } from '../fleet/ask-nodes.ts';
import { NOBODY } from '../fleet/departures.ts';
import type { StreamStore } from '../store/stream-store.ts';
import type { Audience, Commit, RolloutContext } from './context.ts';
import { isFailure, type LoadReplies, loadReply, nodeOutcomes, outcomeOf, skewOf } from './node-outcomes.ts';
import { CONTROLLER, rollBack } from './roll-back.ts';

/**
 * Announces heads that are written, waits for the nodes that they concern, and writes down what came of it. When a node refuses
 * (the module threw while it loaded), the modules are rolled back, so that no mixture stays. A node that refuses an automatic
 * rollback stays behind: what it goes back to ran before, and the way forward was refused.
 *
 * To do it again is harmless: a node answers for a head that it has seen as it did the first time. So the next controller
 * finishes what one left unfinished.
 */
export async function awaitCommit(context: RolloutContext, heads: readonly Head[], all: Audience): Promise<Commit> {
  const { store } = context;
  const audience = { ...all, ...concernedBy(heads, all) };
  const startedAt = performance.now();
  const replies = await announce(context, heads, audience, 'commit');
  const nodes = nodeOutcomes(replies, audience).map(outcome => outcomeOf(outcome, heads));
  const commit = { detail: '', nodes, ms: performance.now() - startedAt, skew: skewOf(replies) };
  const counting = nodes.filter(({ node }) => audience.without?.has(node) !== true);
  const failures = counting.filter(outcome => isFailure(outcome, heads));
  if (failures.length === 0 || heads.every(isAutomatic)) {
    await writeHeadResults(store, heads, 'committed', counting);
    return { ...commit, outcome: 'committed' };
  }
  const note = `revert: refused by ${failures.map(({ node }) => node).join(', ')}`;
  const back = await rollBack(store, { cause: 'refused', heads, note });
  if (back.status === 'overtaken') return { ...commit, outcome: 'overtaken', detail: back.detail };
  await writeHeadResults(store, heads, 'reverted', counting);
  const returned = await announce(context, back.heads, audience, 'revert');
  await writeHeadResults(store, back.heads, 'committed', nodeOutcomes(returned, audience));
  return { ...commit, outcome: 'reverted', detail: describeRevert(back.heads) };
}

async function announce(
  context: RolloutContext,
  heads: readonly Head[],
  { expected, awaited = expected, departed = NOBODY, timeoutMs, onAnswer }: Audience,
  phase: string,
): Promise<LoadReplies> {
  const replies = await askNodes(context, {
    verb: 'commit',
    body: joinFrames(heads.map(head => context.store.signHead(head))),
    schema: loadReply,
    expected: awaited,
    departed,
    timeoutMs,
    onAnswer: (answered, node) => onAnswer?.(phase, answered, node),
  });
  // Who is not concerned can say what it likes.
  return new Map([...replies].filter(([node]) => heads.some(head => concerns(head, node))));
}

/** The nodes of an audience that heads ask something of. */
export function concernedBy(
  heads: readonly Pick<Head, 'groups' | 'movedFrom'>[],
  { expected, awaited }: Pick<Audience, 'expected' | 'awaited'>,
) {
  const among = (nodes: ReadonlySet<string>): ReadonlySet<string> =>
    new Set([...nodes].filter(node => heads.some(head => concerns(head, node))));
  return { expected: among(expected), ...(awaited === undefined ? {} : { awaited: among(awaited) }) };
}

async function writeHeadResults(
  store: StreamStore,
  heads: readonly Head[],
  verdict: HeadResult['verdict'],
  nodes: readonly NodeOutcome[],
): Promise<void> {
  const countsOf = (head: Head) => {
    const own = nodes.filter(({ node }) => concerns(head, node));
    const count = (status: NodeOutcome['status']): number => own.filter(node => node.status === status).length;
    return { loaded: count('loaded'), refused: count('refused'), silent: count('silent') };
  };
  await Promise.all(
    heads.map(head => {
      const { module, sequence } = head;
      return store.writeHeadResult({ module, sequence, verdict, ...countsOf(head) });
    }),
  );
}

function describeRevert(back: readonly Head[]): string {
  const where = back.map(({ module, revision }) =>
    revision === null ? `${module} was removed again` : `${module} is back on ${shortRevision(revision)}`,
  );
  return `a node could not load it, so on every node ${where.join(' and ')}`;
}

/** Awaits the commit of heads that the controller wrote by itself, and writes down what came of it. */
export async function awaitAndAudit(
  context: RolloutContext,
  command: string,
  heads: readonly Head[],
  detail: string,
  audience: () => Promise<Audience>,
): Promise<void> {
  const trace = context.trace?.(command, heads, detail);
  const all = await audience();
  const onAnswer: Audience['onAnswer'] = (phase, answered, node) => {
    trace?.onAnswer(phase, node);
    all.onAnswer?.(phase, answered, node);
  };
  const committing = awaitCommit(context, heads, { ...all, onAnswer });
  if (trace !== undefined) void committing.then(trace.end, trace.end);
  const { outcome } = await committing;
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
