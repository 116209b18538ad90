import { randomUUID } from 'node:crypto';

import type { NatsConnection } from '@nats-io/transport-node';
import * as v from 'valibot';

import { decode } from '../../../protocol/codec.ts';
import { joinFrames } from '../../../protocol/framing.ts';
import { type Canary, type Head, nextSequence } from '../../../protocol/head.ts';
import { loadAnswer, malformedAnswer } from '../../../protocol/messages.ts';
import type { HeadResult } from '../../../protocol/head-result.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { inScope } from '../../../protocol/canary-scope.ts';
import type { Subjects } from '../../../protocol/subjects.ts';
import { scatterGather, type Timed } from '../fleet/scatter-gather.ts';
import type { NodeOutcome, Refusal } from '../api/results.ts';
import type { LastHead, StreamStore } from '../store/stream-store.ts';

export const loadReply = v.variant('status', [loadAnswer, malformedAnswer]);
export type LoadReply = v.InferOutput<typeof loadReply>;

export interface RolloutContext {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly store: StreamStore;
}

/** What a module's next head should say, and the head that it was decided upon. */
export interface Change {
  readonly module: string;
  readonly revision: string | null;
  readonly canary: Canary | null;
  readonly last: LastHead;
  /** Purge an old version on which calls are still running. */
  readonly force: boolean;
}

/** Who changes a head and why, and the push that it points back from. */
export interface Occasion {
  readonly author: string;
  readonly note: string;
  readonly revertOf?: string | null;
}

/** Who is waited for, how long (milliseconds), and who is told how many have answered. */
export interface Audience {
  readonly expected: ReadonlySet<string>;
  readonly timeoutMs: number;
  readonly onAnswer?: (phase: string, answered: number) => void;
}

/** What came of heads: see PushResult. Times in milliseconds. */
export interface Committed {
  readonly outcome: 'committed' | 'reverted' | 'overtaken';
  readonly detail: string;
  readonly heads: readonly Head[];
  readonly nodes: readonly NodeOutcome[];
  /** How long it took until the stream had the heads, and from then until every node had answered. */
  readonly write: number;
  readonly commit: number;
  readonly skew: number;
}

/**
 * Writes the heads of a change together and has every node obey them. When a node refuses (the module threw while it
 * loaded), heads that point back are written and obeyed, so that no mixture stays.
 */
export async function commitHeads(
  parts: RolloutContext,
  changes: readonly Change[],
  { author, note, revertOf = null }: Occasion,
  audience: Audience,
): Promise<Committed> {
  const push = randomUUID();
  const now = Date.now();
  const writes = changes.map(({ module, revision, canary, last, force }) => ({
    head: {
      module,
      revision,
      canary,
      force,
      sequence: nextSequence(last.head?.sequence ?? 0, now),
      push,
      revertOf,
      author,
      at: now,
      note,
    },
    position: last.position,
  }));
  const startedAt = performance.now();
  if (await parts.store.writeHeads(writes)) {
    const write = performance.now() - startedAt;
    const heads = writes.map(({ head }) => head);
    return { ...(await awaitCommit(parts, heads, audience)), write };
  }
  const detail = await whoWasFaster(
    parts.store,
    writes.map(({ head }) => head),
  );
  return { outcome: 'overtaken', detail, heads: [], nodes: [], write: 0, commit: 0, skew: 0 };
}

/**
 * Has every node obey heads that are written, and writes down what came of it. Doing it again is harmless: a node
 * answers for a head that it has seen as it did the first time. So the next controller finishes what one left undone.
 */
export async function awaitCommit(
  parts: RolloutContext,
  heads: readonly Head[],
  audience: Audience,
): Promise<Committed> {
  const startedAt = performance.now();
  const loads = await announce(parts, heads, audience, 'commit');
  const nodes = outcomesOf(loads, audience.expected).map(outcome => keptOutside(outcome, heads));
  const settled = { heads, nodes, write: 0, commit: performance.now() - startedAt, skew: skewOf(loads) };
  // What was pointed back to ran before: whoever can't load that stays behind, rather than all go on to what was refused.
  if (!nodes.some(isFailure) || heads.every(({ revertOf }) => revertOf !== null)) {
    await writeHeadResults(parts.store, heads, 'committed', nodes);
    return { outcome: 'committed', detail: '', ...settled };
  }
  const back = await revert(parts, heads, nodes);
  if (back === null) return { outcome: 'overtaken', detail: await whoWasFaster(parts.store, heads), ...settled };
  await writeHeadResults(parts.store, heads, 'reverted', nodes);
  const returned = await announce(parts, back, audience, 'revert');
  await writeHeadResults(parts.store, back, 'committed', outcomesOf(returned, audience.expected));
  return { outcome: 'reverted', detail: revertedTo(back), ...settled };
}

/** What each node said to a load or commit, and who said nothing. */
export function outcomesOf(
  answers: ReadonlyMap<string, Timed<LoadReply>>,
  expected: ReadonlySet<string>,
): NodeOutcome[] {
  const answered = [...answers.values()].map(({ answer, ms }): NodeOutcome => {
    switch (answer.status) {
      case 'loaded':
        return { node: answer.node, status: 'loaded', ms };
      case 'refused':
        return answer;
      case 'malformed':
        return malformedRefusal(answer);
      default: {
        const check: never = answer;
        return check;
      }
    }
  });
  const silent = [...expected].filter(node => !answers.has(node));
  return [...answered, ...silent.map(node => ({ node, status: 'silent' as const }))];
}

export function malformedRefusal({ node, detail }: { readonly node: string; readonly detail: string }): Refusal {
  return { node, status: 'refused', reason: 'malformed', detail };
}

/** The kept heads of a module, oldest first, without those that a node refused and a later head points back from. */
export function standing(kept: readonly Head[]): Head[] {
  return kept.filter(({ push }) => !kept.some(({ revertOf }) => revertOf === push));
}

async function announce(
  { nats, subjects, store }: RolloutContext,
  heads: readonly Head[],
  { expected, timeoutMs, onAnswer }: Audience,
  phase: string,
): Promise<Map<string, Timed<LoadReply>>> {
  return scatterGather<LoadReply>(nats, {
    ask: inbox =>
      nats.publish(subjects.all('commit'), joinFrames(heads.map(head => store.signHead(head))), { reply: inbox }),
    decode: bytes => decode(loadReply, bytes),
    expected,
    timeoutMs,
    onAnswer: answered => onAnswer?.(phase, answered),
  });
}

/**
 * Writes heads that point back to what was before, of the modules for which no other controller has written one since;
 * null when there is none.
 */
async function revert(
  parts: RolloutContext,
  heads: readonly Head[],
  nodes: readonly NodeOutcome[],
): Promise<Head[] | null> {
  const { store } = parts;
  const push = randomUUID();
  const culprits = nodes.filter(isFailure).map(({ node }) => node);
  const writes = await Promise.all(
    heads.map(async head => {
      const kept = await store.history(head.module);
      const before = kept.findLast(({ sequence }) => sequence < head.sequence);
      const last = await store.lastHead(head.module);
      const back: Head = {
        ...head,
        revision: before?.revision ?? null,
        canary: before?.canary ?? null,
        sequence: nextSequence(head.sequence, Date.now()),
        force: true,
        push,
        revertOf: head.push,
        at: Date.now(),
        note: `revert: refused by ${culprits.join(', ')}`,
      };
      return { head: back, position: last.position, isNewest: last.head?.sequence === head.sequence };
    }),
  );
  const ours = writes.filter(({ isNewest }) => isNewest);
  if (ours.length === 0) return null;
  return (await store.writeHeads(ours)) ? ours.map(({ head }) => head) : revert(parts, heads, nodes);
}

async function writeHeadResults(
  store: StreamStore,
  heads: readonly Head[],
  verdict: HeadResult['verdict'],
  nodes: readonly NodeOutcome[],
): Promise<void> {
  const count = (status: NodeOutcome['status']): number => nodes.filter(node => node.status === status).length;
  const counts = { loaded: count('loaded'), refused: count('refused'), silent: count('silent') };
  await Promise.all(
    heads.map(({ module, sequence }) => store.writeHeadResult({ module, sequence, verdict, ...counts })),
  );
}

/** Whether a node could not do what a head asks. Having seen a newer head is no failure. */
function isFailure(outcome: NodeOutcome): boolean {
  return outcome.status === 'refused' && outcome.reason !== 'outdated';
}

/** A node outside a canary's scope obeyed by keeping what it has. */
function keptOutside(outcome: NodeOutcome, heads: readonly Head[]): NodeOutcome {
  const isOutside = heads.every(({ canary }) => canary !== null && !inScope(canary.scope, outcome.node));
  return isOutside && outcome.status === 'loaded' ? { node: outcome.node, status: 'kept' } : outcome;
}

function skewOf(loads: ReadonlyMap<string, Timed<LoadReply>>): number {
  const switchedAt = [...loads.values()].flatMap(({ answer }) => (answer.status === 'loaded' ? [answer.at] : []));
  return switchedAt.length === 0 ? 0 : Math.max(...switchedAt) - Math.min(...switchedAt);
}

async function whoWasFaster(store: StreamStore, ours: readonly Head[]): Promise<string> {
  for (const { module, push } of ours) {
    const { head } = await store.lastHead(module);
    if (head === null || head.push === push) continue;
    const what = head.revision === null ? `removal of ${module}` : `${module}@${shortRevision(head.revision)}`;
    return `${head.author} was faster: ${head.note} of ${what} at ${new Date(head.at).toISOString()}; look, then push again`;
  }
  return 'the stream was changed meanwhile; look, then push again';
}

function revertedTo(back: readonly Head[]): string {
  const where = back.map(({ module, revision }) =>
    revision === null ? `${module} was taken off again` : `${module} is back on ${shortRevision(revision)}`,
  );
  return `a node could not load it, so on every node ${where.join(' and ')}`;
}
