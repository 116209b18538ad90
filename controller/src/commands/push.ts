import type { CanaryScope } from '../../../protocol/canary-scope.ts';
import type { Head, Manifest } from '../../../protocol/head.ts';
import { whyOf } from '../../../protocol/history/why.ts';
import type { CommandOf, OnReport } from '../api/command.ts';
import type { ChangedModule, NodeOutcome, PushResult } from '../api/results.ts';
import type { BuiltBundle } from '../build/build.ts';
import { manifestFrom } from '../build/manifest.ts';
import { removedExports, removedExportWarnings } from '../build/removed-exports.ts';
import { inOrder, silentAmong } from '../fleet/ask-nodes.ts';
import type { Departed } from '../fleet/departures.ts';
import { awaitCommit } from '../rollout/commit.ts';
import { missingPackages } from '../rollout/missing-packages.ts';
import { prepare } from '../rollout/prepare.ts';
import { type HeadChange, nextHeads, writeHeads } from '../rollout/write-heads.ts';
import type { LastHead } from '../store/heads.ts';
import { type Storage, StorageError, storageProblem, storageWarning } from '../store/storage.ts';
import { scopeOf } from './canary-option.ts';
import { committed, NOTHING_CHANGED, unknown } from './change-heads.ts';
import { changedModules, modulesToPush, pushedModules } from './changed-modules.ts';
import type { CommandContext, Handler } from './context.ts';
import { type Placed, placeModules, unknownModules } from './placement.ts';
import { expectedNodes, warnOfDeparted } from './select-nodes.ts';
import { bannedFrom, includedIn, leftOutOf, nodesWithout } from './kept-off/without-option.ts';
import { findUnchanged, type Unchanged } from './unchanged.ts';

/** A built module, and the head that its next one is decided upon. */
interface Candidate {
  readonly built: BuiltBundle;
  readonly manifest: Manifest;
  readonly last: LastHead;
}

interface Plan {
  /** All modules, with those that are unchanged. */
  readonly candidates: readonly Candidate[];
  readonly unchanged: Unchanged;
  /** The last heads of all modules. */
  readonly heads: readonly Head[];
  /** Other modules with a source in common, which has changed since their own push. */
  readonly affected: readonly ChangedModule[];
  readonly storage: Storage;
  /**
   * The nodes that it goes to, those of them that it waits for, those that unload modules which leave their groups, those that have left
   * (see Expected), and those that are left out.
   */
  readonly names: ReadonlySet<string>;
  readonly awaited: ReadonlySet<string>;
  readonly leaving: ReadonlySet<string>;
  readonly departed: Departed;
  readonly without: ReadonlySet<string>;
  readonly scope: CanaryScope | null;
  readonly ms: number;
}

const UNCHANGED = 'nothing was written (--force writes it again)';

/** The result of `--affected` when nothing is. */
const NOTHING: PushResult = {
  command: 'push',
  modules: [],
  unchanged: [],
  affected: [],
  outcome: 'unchanged',
  detail: 'the sources of all modules are as they were pushed',
  nodes: [],
  times: { compile: 0, prepare: 0, write: 0, commit: 0, skew: 0 },
};

/** Why a node that is left out, and did not answer, has kept what it had. */
const LEFT_OUT = 'left out';

const BANNED = 'nothing changed on any node; --force lifts the bans, and --without leaves nodes out';

const CANARY_OUTCOMES = {
  passed: 'committed',
  undecided: 'undecided',
  failed: 'rolled-back',
  superseded: 'superseded',
} as const;

/**
 * Pushes modules together: build, prepare on every node, write the heads when no node refused, and await the commit. A silent
 * node does not hold a push: it is named, and applies the heads when it is back. Modules that are unchanged are left alone.
 *
 * @throws UsageError, SourceError and PreflightError before anything was sent.
 */
export const push: Handler<'push'> = async (context, command, report, signal, holds) => {
  const { author, change, timeoutMs, force, canary } = command;
  holds(NOTHING_CHANGED);
  const wanted = await modulesToPush(context, command, report);
  if (wanted.length === 0) return NOTHING;
  const plan = await build(context, wanted, command, report, signal);
  const { names, awaited, leaving, departed, without } = plan;
  const result = resultOf(plan);
  const candidates = plan.candidates.filter(({ built }) => !plan.unchanged.modules.has(built.bundle.module));
  if (candidates.length === 0) return result('unchanged', UNCHANGED, plan.unchanged.silent, {});
  const bundles = candidates.map(({ built }) => built);
  const missing = await missingPackages(context.store, bundles, plan.heads);
  const bytes = bundles.reduce((sum, { packed }) => sum + packed.length, missing.bytes);
  const noRoom = storageProblem(plan.storage, bytes);
  if (noRoom !== null) throw new StorageError(`nothing was sent: ${noRoom}`);
  const nearlyFull = storageWarning(plan.storage);
  if (nearlyFull !== null) report({ type: 'warning', message: nearlyFull });
  const mistyped = unknownModules(await context.groups(), context.availableModules());
  for (const message of [...warningsOf(plan, candidates), ...mistyped]) report({ type: 'warning', message });
  const all = new Set([...names, ...leaving]);
  const onAnswer = (phase: string, answered: number, node: string): void =>
    report({ type: 'progress', phase, answered, expected: (phase === 'prepare' ? names : all).size, node });

  const banned = force ? [] : bannedFrom(candidates.map(pushedOf), names);
  if (banned.length > 0) return result('refused', BANNED, banned, {});
  const storedAt = performance.now();
  await context.store.putPackages(missing);
  const stored = performance.now() - storedAt;
  const audience = { expected: names, departed, timeoutMs, onAnswer };
  const scope = canary === null ? 'push' : `canary on ${canary.scope}`;
  const note = without.size === 0 ? scope : `${scope} without ${[...without].join(', ')}`;
  const changes = changesTo(candidates, plan.scope, command);
  const reason = { author, push: change, note, ...whyOf(command) };
  const next = nextHeads(context.store, changes, reason);
  const heads = next.map(({ head }) => head);
  const prepared = await prepare(context, bundles, force, { ...audience, awaited, without, signal, heads });
  const silent = silentAmong(audience, prepared.answered);
  context.membership.noteSilent(silent.map(({ node }) => node));
  if (prepared.status === 'unanswered') {
    return result('unanswered', 'no node answered, so nothing was committed', silent, {
      prepare: stored + prepared.ms,
    });
  }
  if (prepared.status === 'refused') {
    return result('refused', 'nothing changed on any node', prepared.refusals, { prepare: stored + prepared.ms });
  }

  signal.throwIfAborted();
  holds(unknown('push', wanted), true);
  const written = await writeHeads(context.store, changes, reason, next);
  if (written.status === 'overtaken') {
    return result('overtaken', written.detail, [], { prepare: stored + prepared.ms });
  }

  holds(committed(written.heads));
  // A node that was silent is not waited for again. When it answers all the same, that counts.
  const commit = await awaitCommit(context, written.heads, {
    ...audience,
    expected: all,
    awaited: new Set([...prepared.answered, ...leaving]),
    without,
  });
  await keepBundles(context, bundles, plan.heads);
  // A node's time counts from the send of the bundle.
  const beforeMs = prepared.ms + written.ms;
  const answers = commit.nodes.map(node => (node.status === 'loaded' ? { ...node, ms: node.ms + beforeMs } : node));
  const heard = new Set(commit.nodes.map(({ node }) => node));
  const kept = [...without]
    .filter(node => !heard.has(node))
    .map(node => ({ node, status: 'kept' as const, detail: LEFT_OUT }));
  const nodes = [...answers, ...kept];
  warnOfDeparted(audience, nodes, report);
  const times = { prepare: stored + prepared.ms, write: written.ms, commit: commit.ms, skew: commit.skew };
  if (canary === null || commit.outcome !== 'committed') return result(commit.outcome, commit.detail, nodes, times);

  const { watch: timeMs, minCalls } = canary;
  const watch = { timeMs, minCalls, fleet: names, timeoutMs };
  const { status, detail } = await context.monitor.watch(written.heads, watch, { report, signal, holds });
  return result(CANARY_OUTCOMES[status], detail, nodes, times);
};

function pushedOf({ built: { bundle }, last }: Candidate) {
  return { module: bundle.module, revision: bundle.revision, last };
}

/** Builds the modules, and reads at the same time what a push has to know before it sends anything. */
async function build(
  context: CommandContext,
  modules: readonly string[],
  command: CommandOf<'push'>,
  report: OnReport,
  signal: AbortSignal,
): Promise<Plan> {
  const { store, membership } = context;
  const { check, force, canary, timeoutMs, without = [] } = command;
  const startedAt = performance.now();
  const [lasts, [heads, pushed], expected, storage, built] = await Promise.all([
    Promise.all(modules.map(module => store.lastHead(module))),
    store.heads().then(async all => [all, await pushedModules(store, all)] as const),
    membership.expected(),
    store.storage(),
    context.build(modules, check, report),
  ]);
  const all = nodesWithout(expectedNodes(expected, report), without, report);
  const candidates = built.map((each, index): Candidate => {
    const last = lasts[index] ?? { head: null, position: 0 };
    const manifest = manifestFrom(each.bundle, each.sources, each.packages?.manifest);
    return { built: each, manifest, last };
  });
  const placed = candidates.map(placedOf);
  const { in: names, leaving } = placeModules(placed, all, heads, membership.present());
  const scope = canary === null ? null : await scopeOf(context, canary.scope, placed, all);
  const ms = performance.now() - startedAt;
  const wanted = candidates.map(({ built: { bundle, sources, groups }, last }) => ({
    ...bundle,
    sources,
    groups,
    last,
  }));
  const { departed } = expected;
  const live = [...expected.awaited].filter(node => names.has(node));
  const awaited = live.length === 0 ? names : new Set(live);
  const compared = force || without.length > 0 ? [] : wanted;
  const unchanged = await findUnchanged(
    context,
    compared,
    { expected: names, departed },
    { awaited, timeoutMs, signal },
  );
  const own = new Set(built.flatMap(each => Object.keys(each.sources)));
  const others = pushed.filter(({ module }) => !modules.includes(module));
  const affected = changedModules(context, others, own);
  const nodes = { names, awaited, leaving: new Set([...leaving].filter(node => expected.awaited.has(node))), departed };
  return { candidates, unchanged, heads, affected, storage, ...nodes, without: new Set(without), scope, ms };
}

function placedOf({ built: { bundle, groups }, manifest, last }: Candidate): Placed {
  return { module: bundle.module, groups, imports: Object.keys(manifest.imports), last: last.head };
}

/** Warnings of exports that are gone and that other modules import. */
function warningsOf({ heads }: Plan, candidates: readonly Candidate[]): string[] {
  const removed = candidates.map(({ built: { bundle }, manifest, last }) =>
    removedExports(bundle.module, last.head?.manifest ?? null, manifest),
  );
  const running = heads.flatMap(({ module, manifest }) => (manifest === null ? [] : [[module, manifest] as const]));
  const pushed = candidates.map(({ built: { bundle }, manifest }) => [bundle.module, manifest] as const);
  return removedExportWarnings(removed, new Map([...running, ...pushed]));
}

function changesTo(
  candidates: readonly Candidate[],
  scope: CanaryScope | null,
  { force, canary, without = [], author }: CommandOf<'push'>,
): HeadChange[] {
  return candidates.map(candidate => {
    const { built, manifest, last } = candidate;
    const { bundle } = built;
    const pushed = pushedOf(candidate);
    const keepOff = leftOutOf(pushed, without, author);
    const { module, revision } = bundle;
    if (scope === null || canary === null)
      return {
        module,
        revision,
        manifest,
        canary: null,
        groups: built.groups,
        last,
        force,
        makeRoom: false,
        keepOff,
        lifts: includedIn(pushed),
      };
    const { maxErrors } = canary;
    const { revision: main = null, manifest: mains = null } = last.head ?? {};
    return {
      module,
      revision: main,
      manifest: mains,
      canary: { revision, manifest, scope, maxErrors },
      groups: built.groups,
      last,
      force,
      makeRoom: false,
      keepOff,
    };
  });
}

/** The collections of what no head names may have removed something just before the head was written. */
async function keepBundles(
  { store }: CommandContext,
  bundles: readonly BuiltBundle[],
  headsBefore: readonly Head[],
): Promise<void> {
  for (const { bundle, packed } of bundles) {
    if (!(await store.hasBundle(bundle))) await store.putBundle(bundle, packed);
  }
  await store.putPackages(await missingPackages(store, bundles, headsBefore));
}

/** Gives a function that makes the result of a push, whichever step ends it. */
function resultOf({ candidates, unchanged, affected, ms: compile }: Plan) {
  const modules = candidates.map(({ built: { bundle } }) => ({ module: bundle.module, revision: bundle.revision }));
  return (
    outcome: PushResult['outcome'],
    detail: string,
    nodes: readonly NodeOutcome[],
    times: Partial<PushResult['times']>,
  ): PushResult => ({
    command: 'push',
    modules,
    unchanged: [...unchanged.modules],
    affected: [...affected],
    outcome,
    detail,
    nodes: inOrder(nodes),
    times: { compile, prepare: 0, write: 0, commit: 0, skew: 0, ...times },
  });
}
