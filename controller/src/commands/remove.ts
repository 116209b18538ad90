import { UsageError } from '../../../protocol/errors.ts';
import type { OnReport, RemoveCommand } from '../api/command.ts';
import type { HeadChangeResult } from '../api/results.ts';
import { type HeadChange, writeHeads } from '../rollout/write-heads.ts';
import type { StreamStore } from '../store/stream-store.ts';
import { changeHeads } from './change-heads.ts';
import type { FleetContext } from './context.ts';

/** Removes modules from every node. @throws UsageError when one is not deployed. */
export async function remove(
  context: FleetContext,
  { modules, author, timeoutMs }: RemoveCommand,
  report: OnReport,
): Promise<HeadChangeResult> {
  const { store } = context;
  const write = async () => {
    const changes = await Promise.all(modules.map(module => removal(store, module)));
    return writeHeads(store, changes, { author, note: 'remove' });
  };
  return changeHeads(context, { command: 'remove', timeoutMs, write }, report);
}

async function removal(store: StreamStore, module: string): Promise<HeadChange> {
  const last = await store.lastHead(module);
  if (!last.head || (last.head.revision === null && last.head.canary === null)) {
    throw new UsageError(`${module} is not deployed, so there is nothing to remove`);
  }
  return { module, revision: null, manifest: null, canary: null, last, force: true };
}
