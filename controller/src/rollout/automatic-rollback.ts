import type { Head } from '../../../protocol/head.ts';
import { keptOffBy, type KeptOff } from '../../../protocol/kept-off.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { StreamStore } from '../store/stream-store.ts';
import { awaitAndAudit } from './commit.ts';
import type { Audience, RolloutContext } from './context.ts';
import { type Accused, describeFindings } from './findings.ts';
import { askForNewerHeads } from './newer-heads.ts';
import { previousRevision } from './previous-revision.ts';
import type { RollbackLimit } from './rollback-limit.ts';
import { CONTROLLER, rollBack, type Rollback } from './roll-back.ts';
import { writeHeads } from './write-heads.ts';

interface FindingsDeps {
  readonly audience: () => Promise<Audience>;
  readonly limit: RollbackLimit;
  readonly log: Logger;
}

/**
 * Acts on revisions that brought nodes down. What is confirmed is rolled back everywhere, with all modules of the push that have a
 * previous revision, so none is left without one; and a few times in an hour at most. In all other cases the nodes that say so
 * are kept off the push, and nobody else.
 */
export async function actOnFindings(
  context: RolloutContext,
  accused: readonly Accused[],
  { audience, limit, log }: FindingsDeps,
): Promise<void> {
  for (const push of new Set(accused.map(({ head }) => head.push))) {
    const own = accused.filter(({ head }) => head.push === push);
    const heads = (await context.store.heads()).filter(head => head.push === push);
    const entries = await entriesOf(context.store, heads, own);
    const canGoBack = own.some(({ head }) =>
      entries.some(entry => entry.revision === head.revision && entry.instead !== null),
    );
    const where = describeFindings(own.flatMap(({ findings }) => findings));
    const what = own.map(({ head }) => shortRevision(head.revision ?? '')).join(', ');
    const histories = await Promise.all(own.map(({ head }) => context.store.history(head.module)));
    const isBounded = histories.some(history => limit.isReached(history));
    for (const { head, findings } of own) {
      const fields = { module: head.module, revision: shortRevision(head.revision ?? ''), findings };
      log.warn(fields, `${where}${isBounded ? '; rolled back too often in this hour' : ''}`);
    }
    if (own.some(({ isConfirmed }) => isConfirmed) && canGoBack && !isBounded) {
      const note = `${where}: rolled back from ${what}`;
      limit.observe(await rollBackAndAwait(context, { cause: 'watchdog', heads, note, keepOff: entries }, audience));
    } else await quarantine(context, heads, entries, `quarantined, ${where}: ${what}`, audience);
  }
}

/** Keeps nodes off a push. Every other node runs on with it. */
async function quarantine(
  context: RolloutContext,
  heads: readonly Head[],
  entries: readonly KeptOff[],
  note: string,
  audience: () => Promise<Audience>,
): Promise<void> {
  const { store } = context;
  const lasts = await Promise.all(heads.map(({ module }) => store.lastHead(module)));
  if (lasts.some(({ head }, index) => head?.sequence !== heads[index]?.sequence)) return;
  const changes = heads.map(({ module, revision, manifest, canary }, index) => ({
    module,
    revision,
    manifest,
    canary,
    last: lasts[index] ?? { head: null, position: 0 },
    force: false,
    makeRoom: true,
    keepOff: entries.filter(entry => entry.revision === revision),
  }));
  const written = await writeHeads(store, changes, { author: CONTROLLER, note, amends: true, quarantine: true });
  if (written.status === 'written') await awaitAndAudit(context, 'quarantine', written.heads, note, audience);
}

/** What keeps the accusing nodes off all modules of a push, and what each of them runs instead. */
async function entriesOf(store: StreamStore, heads: readonly Head[], accused: readonly Accused[]): Promise<KeptOff[]> {
  const at = Date.now();
  const findings = new Map(accused.flatMap(each => each.findings).map(finding => [finding.node, finding]));
  const entries = await Promise.all(
    heads.map(async head => {
      const { revision } = head;
      if (revision === null) return [];
      const history = await store.history(head.module);
      return [...findings.values()].map(({ node, cause, detail }): KeptOff => {
        const banned = head.keptOff.filter(entry => entry.node === node).map(entry => entry.revision);
        const instead = previousRevision(head, history, [revision, ...banned]);
        return { node, revision, instead, cause, detail, at };
      });
    }),
  );
  return entries
    .flat()
    .filter(({ node, revision }) => !heads.some(({ keptOff }) => keptOffBy(keptOff, node, revision)));
}

/**
 * Rolls back by itself, and waits until the nodes have followed. Does nothing when all heads were replaced meanwhile.
 *
 * @returns the heads that it wrote.
 */
export async function rollBackAndAwait(
  context: RolloutContext,
  rollback: Exclude<Rollback, { cause: 'operator' }>,
  audience: () => Promise<Audience>,
): Promise<readonly Head[]> {
  const nodes = await audience();
  await askForNewerHeads(
    context,
    rollback.heads.map(({ module }) => module),
    nodes,
  );
  const back = await rollBack(context.store, rollback);
  if (back.status !== 'written') return [];
  await awaitAndAudit(context, `rollback (${rollback.cause})`, back.heads, rollback.note, async () => nodes);
  return back.heads;
}
