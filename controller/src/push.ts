import type { NatsConnection } from '@nats-io/transport-node';
import * as v from 'valibot';

import { decode, encode } from '../../protocol/codec.ts';
import { UsageError } from '../../protocol/errors.ts';
import { type Head, nextSequence } from '../../protocol/head.ts';
import { loadAnswer, malformedAnswer, prepareAnswer } from '../../protocol/messages.ts';
import { compareNodes } from '../../protocol/names.ts';
import { shortRevision } from '../../protocol/revision.ts';
import type { Subjects } from '../../protocol/subjects.ts';
import { compile } from './compile.ts';
import type { Expected, Fleet } from './fleet.ts';
import { gather, type Timed } from './gather.ts';
import type { NodeOutcome, PushResult, PushTimes, Report } from './results.ts';
import type { LastHead, Store } from './store.ts';

const prepareReply = v.variant('status', [prepareAnswer, malformedAnswer]);
const loadReply = v.variant('status', [loadAnswer, malformedAnswer]);
type PrepareReply = v.InferOutput<typeof prepareReply>;
export type LoadReply = v.InferOutput<typeof loadReply>;

export interface PushParts {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly store: Store;
  readonly fleet: Fleet;
  readonly modulesDir: string;
}

interface PushRequest {
  readonly module: string;
  readonly author: string;
  /** How long to wait for the nodes in each phase (milliseconds). */
  readonly patience: number;
}

/**
 * Pushes a module: compile, prepare everywhere, and when no node refused, write the head and commit. A node that is
 * silent does not hold a push: it is named, and obeys the head when it is back. A node that refuses after the commit
 * (the module threw while it loaded) makes the controller write a head that points back.
 *
 * @throws UsageError and CompileError before anything was sent.
 */
export async function push(
  parts: PushParts,
  { module, author, patience }: PushRequest,
  report: (report: Report) => void,
): Promise<PushResult> {
  const { nats, subjects, store, fleet } = parts;
  const startedAt = performance.now();
  const [last, expected, { bundle, packed }] = await Promise.all([
    store.lastHead(module),
    fleet.expected(),
    compile(parts.modulesDir, module),
  ]);
  const names = namesOf(expected, report);
  const compiled = performance.now();
  const progress = (phase: string) => (answered: number) =>
    report({ type: 'progress', phase, answered, expected: names.size });

  const preparations = await gather<PrepareReply>(nats, {
    ask: inbox => store.putBundle(bundle, packed, inbox),
    decode: bytes => decode(prepareReply, bytes),
    expected: names,
    patience,
    onAnswer: progress('prepare'),
  });
  const prepared = performance.now();
  const times = { compile: compiled - startedAt, prepare: prepared - compiled, commit: 0, skew: 0 };
  const finish = (
    outcome: PushResult['outcome'],
    detail: string,
    nodes: NodeOutcome[],
    measured: PushTimes = times,
  ) => ({
    command: 'push' as const,
    module,
    revision: bundle.revision,
    outcome,
    detail,
    nodes: nodes.toSorted((a, b) => compareNodes(a.node, b.node)),
    times: measured,
  });

  const refusals = [...preparations.values()].flatMap(({ answer }) => refusalOf(answer));
  if (preparations.size === 0) {
    return finish('unanswered', 'nobody answered, so nothing was committed', outcomesOf(new Map(), names, 0));
  }
  if (refusals.length > 0) return finish('refused', 'nothing changed on any node', refusals);

  const head = nextHead(last, module, bundle.revision, author, 'push');
  if (!(await store.writeHead(head, last.position))) {
    return finish('overtaken', await whoWasFaster(store, module), []);
  }
  const commit = (heads: readonly Head[], phase: string): Promise<Map<string, Timed<LoadReply>>> =>
    gather<LoadReply>(nats, {
      ask: inbox => nats.publish(subjects.all('commit'), encode({ heads }), { reply: inbox }),
      decode: bytes => decode(loadReply, bytes),
      // Who was silent before is not waited for again; when it answers all the same, that counts.
      expected: new Set([...names].filter(name => preparations.has(name))),
      patience,
      onAnswer: progress(phase),
    });
  const loads = await commit([head], 'commit');
  const committed = performance.now();
  const measured = { ...times, commit: committed - prepared, skew: skewOf(loads) };
  const outcomes = outcomesOf(loads, names, prepared - compiled);
  if (!outcomes.some(outcome => outcome.status === 'refused' && outcome.reason !== 'outdated')) {
    return finish('committed', '', outcomes, measured);
  }

  const written = await store.lastHead(module);
  if (written.head?.sequence !== head.sequence) return finish('overtaken', overtakenBy(written), outcomes, measured);
  const back = nextHead(
    written,
    module,
    head.previous,
    author,
    `revert: ${shortRevision(bundle.revision)} was refused`,
  );
  if (!(await store.writeHead(back, written.position))) {
    return finish('overtaken', await whoWasFaster(store, module), outcomes, measured);
  }
  await commit([back], 'revert');
  return finish('reverted', revertedTo(head.previous), outcomes, measured);
}

/** The names of who should answer. @throws UsageError when there is nobody. */
export function namesOf({ members, warning }: Expected, report: (report: Report) => void): Set<string> {
  if (warning !== null) report({ type: 'warning', message: warning });
  if (members.length === 0) {
    throw new UsageError('no node of this cookie is running; nothing was sent (start some with: make up NODES=3)');
  }
  return new Set(members.map(({ node }) => node));
}

/** What each node said to a load or commit, and who said nothing. `base`: milliseconds to add to each time. */
export function outcomesOf(
  answers: ReadonlyMap<string, Timed<LoadReply>>,
  expected: ReadonlySet<string>,
  base: number,
): NodeOutcome[] {
  const answered = [...answers.values()].flatMap(({ answer, ms }): NodeOutcome[] =>
    answer.status === 'loaded' ? [{ node: answer.node, status: 'loaded', ms: base + ms }] : refusalOf(answer),
  );
  const silent = [...expected].filter(node => !answers.has(node));
  return [...answered, ...silent.map(node => ({ node, status: 'silent' as const }))];
}

function refusalOf(answer: PrepareReply | LoadReply): NodeOutcome[] {
  switch (answer.status) {
    case 'refused':
      return [answer];
    case 'malformed':
      return [{ node: answer.node, status: 'refused', reason: 'malformed', detail: answer.detail }];
    case 'prepared':
    case 'loaded':
      return [];
    default: {
      const check: never = answer;
      return check;
    }
  }
}

function nextHead(last: LastHead, module: string, revision: string | null, author: string, note: string): Head {
  const now = Date.now();
  const sequence = nextSequence(last.head?.sequence ?? 0, now);
  return { module, revision, previous: last.head?.revision ?? null, sequence, author, at: now, note };
}

function skewOf(loads: ReadonlyMap<string, Timed<LoadReply>>): number {
  const switchedAt = [...loads.values()].flatMap(({ answer }) => (answer.status === 'loaded' ? [answer.at] : []));
  return switchedAt.length === 0 ? 0 : Math.max(...switchedAt) - Math.min(...switchedAt);
}

async function whoWasFaster(store: Store, module: string): Promise<string> {
  return overtakenBy(await store.lastHead(module));
}

function overtakenBy({ head }: LastHead): string {
  if (head === null) return 'the stream was changed meanwhile; push again';
  const revision = head.revision === null ? 'a removal' : shortRevision(head.revision);
  return `${head.author} was faster with ${revision} at ${new Date(head.at).toISOString()}; push again if yours should run`;
}

function revertedTo(previous: string | null): string {
  if (previous === null) return 'a node could not load it, so the module was taken off every node again';
  return `a node could not load it, so every node was sent back to ${shortRevision(previous)}`;
}
