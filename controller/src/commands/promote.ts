import { UsageError } from '../../../protocol/errors.ts';
import type { OnReport, PromoteCommand } from '../api/command.ts';
import type { HeadChangeResult } from '../api/results.ts';
import { type HeadChange, writeHeads } from '../rollout/write-heads.ts';
import type { StreamStore } from '../store/stream-store.ts';
import { changeHeads } from './change-heads.ts';
import type { FleetContext } from './context.ts';

/** Loads the revision of an open canary on every node. @throws UsageError when a module has no open canary. */
export async function promote(
  context: FleetContext,
  { modules, author, timeoutMs }: PromoteCommand,
  report: OnReport,
): Promise<HeadChangeResult> {
  const { store } = context;
  const write = async () => {
    const changes = await Promise.all(modules.map(module => promotion(store, module)));
    return writeHeads(store, changes, { author, note: 'promote' });
  };
  return changeHeads(context, { command: 'promote', timeoutMs, write }, report);
}

async function promotion(store: StreamStore, module: string): Promise<HeadChange> {
  const last = await store.lastHead(module);
  const canary = last.head?.canary;
  if (!canary) {
    throw new UsageError(`${module} has no canary to promote (start one with: hotcast push ${module} --canary 1)`);
  }
  return { module, revision: canary.revision, manifest: canary.manifest, canary: null, last, force: true };
}
