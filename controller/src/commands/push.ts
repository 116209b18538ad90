import * as v from 'valibot';

import { decode } from '../../../protocol/codec.ts';
import { UsageError } from '../../../protocol/errors.ts';
import { malformedAnswer, prepareAnswer } from '../../../protocol/messages.ts';
import { compareNodes } from '../../../protocol/names.ts';
import type { CanaryScope } from '../../../protocol/canary-scope.ts';
import { parseScope } from './canary-option.ts';
import type { CanaryVerdict, CanaryMonitor } from '../rollout/canary-monitor.ts';
import type { Build, BuiltBundle } from '../build/build.ts';
import { type Membership, expectedNodes } from '../fleet/membership.ts';
import { scatterGather, type Timed } from '../fleet/scatter-gather.ts';
import type { OnReport } from '../api/command.ts';
import type { NodeOutcome, PushResult, Refusal } from '../api/results.ts';
import { runningBundle, warnOfRemovedExports } from '../build/removed-exports.ts';
import { malformedRefusal, commitHeads, type RolloutContext } from '../rollout/commit.ts';
import type { LastHead, StreamStore } from '../store/stream-store.ts';

const prepareReply = v.variant('status', [prepareAnswer, malformedAnswer]);
type PrepareReply = v.InferOutput<typeof prepareReply>;

export interface PushParts extends RolloutContext {
  readonly fleet: Membership;
  readonly watch: CanaryMonitor;
  /** Makes bundles of modules' sources as they are now. @throws UsageError, CompileError, TypeCheckError and PreflightError */
  readonly candidates: Build;
}

export interface PushRequest {
  readonly modules: readonly string[];
  readonly author: string;
  /** How long to wait for the nodes in each phase (milliseconds). */
  readonly timeoutMs: number;
  /** Purge an old version on which calls are still running, rather than be refused with `not_purged`. */
  readonly force: boolean;
  /** Whether type errors hold it. */
  readonly check: boolean;
  /** A part of the fleet to try it on first; null: everywhere at once. */
  readonly canary: CanaryRequest | null;
}

export interface CanaryRequest {
  /** `1`, `10%` or `fred,betty`. */
  readonly scope: string;
  readonly maxErrors: number;
  /** How long the push looks on before it ends (milliseconds). */
  readonly watch: number;
}

const FULL =
  'there is no room for it in the stream; nothing was sent (raise STREAM_MAY_HOLD, and start the controller again)';

/**
 * Pushes modules together: compile, prepare everywhere, and when no node refused, write the heads and commit. A node
 * that is silent does not hold a push: it is named, and obeys the heads when it is back.
 *
 * @throws UsageError, CompileError, TypeCheckError and PreflightError before anything was sent.
 */
export async function push(parts: PushParts, request: PushRequest, say: OnReport): Promise<PushResult> {
  const { store, fleet } = parts;
  const { modules, author, timeoutMs, force, check, canary } = request;
  const startedAt = performance.now();
  const lastHeads = Promise.all(modules.map(module => store.lastHead(module)));
  const [lasts, running, expected, room, compiled] = await Promise.all([
    lastHeads,
    lastHeads.then(all => Promise.all(all.map(({ head }) => runningBundle(store, head)))),
    fleet.expected(),
    store.room(),
    parts.candidates(modules, check, say),
  ]);
  if (compiled.reduce((sum, { packed }) => sum + packed.length, 0) > room) throw new UsageError(FULL);
  const names = expectedNodes(expected, say);
  const scope = canary === null ? null : parseScope(canary.scope, [...names]);
  const compiledAt = performance.now();
  const progress = (phase: string, answered: number): void =>
    say({ type: 'progress', phase, answered, expected: names.size });

  const bundles = compiled.map(({ bundle }) => bundle);
  const [preparations, warnings] = await Promise.all([
    prepare(parts, compiled, force, names, timeoutMs, answered => progress('prepare', answered)),
    warnOfRemovedExports(store, bundles, running),
  ]);
  for (const message of warnings) say({ type: 'warning', message });
  const preparedAt = performance.now();
  const times = { compile: compiledAt - startedAt, prepare: preparedAt - compiledAt, write: 0, commit: 0, skew: 0 };
  const result = (outcome: PushResult['outcome'], detail: string, nodes: readonly NodeOutcome[]): PushResult => ({
    command: 'push',
    modules: compiled.map(({ bundle: { module, revision } }) => ({ module, revision })),
    outcome,
    detail,
    nodes: nodes.toSorted((a, b) => compareNodes(a.node, b.node)),
    times,
  });
  if (preparations.answered.size === 0) {
    const silent = [...names].map(node => ({ node, status: 'silent' as const }));
    return result('unanswered', 'nobody answered, so nothing was committed', silent);
  }
  if (preparations.refusals.length > 0) {
    return result('refused', 'nothing changed on any node', preparations.refusals);
  }

  const changes = compiled.map(({ bundle: { module, revision } }, index) =>
    changeTo(module, revision, lasts[index] ?? { head: null, position: 0 }, scope, canary?.maxErrors ?? 0, force),
  );
  const note = canary === null ? 'push' : `canary on ${canary.scope}`;
  // Who was silent is not waited for again; when it answers all the same, that counts.
  const audience = { expected: preparations.answered, timeoutMs, onAnswer: progress };
  const settled = await commitHeads(parts, changes, { author, note }, audience);
  const { write, commit, skew } = settled;
  Object.assign(times, { write, commit, skew });
  await keepBundles(store, compiled);
  const told = new Set(settled.nodes.map(({ node }) => node));
  const missing = [...names].filter(node => !told.has(node));
  const outcomes = [
    ...settled.nodes.map(node => (node.status === 'loaded' ? { ...node, ms: node.ms + times.prepare + write } : node)),
    ...(settled.outcome === 'overtaken' ? [] : missing.map(node => ({ node, status: 'silent' as const }))),
  ];
  if (canary === null || settled.outcome !== 'committed') return result(settled.outcome, settled.detail, outcomes);
  const verdict = await parts.watch.follow(settled.heads, canary.watch, say);
  return result(verdict.healthy ? 'committed' : 'rolled-back', describeVerdict(verdict, modules), outcomes);
}

interface Preparations {
  /** Nodes that answered for every module. */
  readonly answered: ReadonlySet<string>;
  readonly refusals: readonly Refusal[];
}

/** Has every node compile bundles and have them ready; nothing of them runs. */
export async function prepare(
  { nats, store }: PushParts,
  compiled: readonly BuiltBundle[],
  force: boolean,
  expected: ReadonlySet<string>,
  timeoutMs: number,
  onAnswer: (answered: number) => void,
): Promise<Preparations> {
  const all = await Promise.all(
    compiled.map(({ bundle, packed }) =>
      scatterGather<PrepareReply>(nats, {
        ask: inbox => store.putBundle(bundle, packed, inbox, force),
        decode: bytes => decode(prepareReply, bytes),
        expected,
        timeoutMs,
        onAnswer,
      }),
    ),
  );
  const names = [...(all[0]?.keys() ?? [])].filter(node => all.every(answers => answers.has(node)));
  return { answered: new Set(names), refusals: all.flatMap(answers => [...answers.values()].flatMap(refusalOf)) };
}

/** A sweep of unnamed bundles may have met a bundle just before its head was written. */
async function keepBundles(store: StreamStore, compiled: readonly BuiltBundle[]): Promise<void> {
  for (const { bundle, packed } of compiled) {
    if ((await store.bundle(bundle.module, bundle.revision)) === null)
      await store.putBundle(bundle, packed, null, false);
  }
}

function refusalOf({ answer }: Timed<PrepareReply>): Refusal[] {
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

function changeTo(
  module: string,
  revision: string,
  last: LastHead,
  scope: CanaryScope | null,
  maxErrors: number,
  force: boolean,
) {
  if (scope === null) return { module, revision, canary: null, last, force };
  return { module, revision: last.head?.revision ?? null, canary: { revision, scope, maxErrors }, last, force };
}

function describeVerdict({ healthy, detail }: CanaryVerdict, modules: readonly string[]): string {
  if (!healthy) return `rolled back: ${detail}`;
  return `the canary is well: ${detail}; everywhere with: hotcast promote ${modules.join(' ')}`;
}
