import type { CommandOf } from '../api/command.ts';
import type { HeadChangeResult } from '../api/results.ts';
import { type HeadChange, type HeadsWritten, writeHeads } from '../rollout/write-heads.ts';
import { changeHeads } from './change-heads.ts';
import type { CommandContext, Handler } from './context.ts';

/**
 * Writes heads for what a backup says should run, above everything that this controller knows, and removes the other modules.
 * The records of the backup are in the stream before: see backup/restore.ts.
 */
export const restore: Handler<'restore'> = async (context, command, report, signal, holds) => {
  const changes = await changesTo(context, command);
  const names = changes.map(({ module }) => module);
  if (names.length === 0) return NOTHING;
  const write = (): Promise<HeadsWritten> => {
    const note = `restore of ${new Date(command.backupAt).toISOString()}`;
    return writeHeads(context.store, changes, { author: command.author, push: command.change, note, repeats: true });
  };
  const { timeoutMs } = command;
  return changeHeads(context, { type: 'restore', modules: names, timeoutMs }, { report, signal, holds }, write);
};

const NOTHING: HeadChangeResult = {
  command: 'restore',
  modules: [],
  outcome: 'unchanged',
  detail: 'the backup has no modules, and none is deployed',
  nodes: [],
  times: { write: 0, commit: 0, skew: 0 },
};

async function changesTo({ store }: CommandContext, { modules }: CommandOf<'restore'>): Promise<HeadChange[]> {
  const named = new Set(modules.map(({ module }) => module));
  const others = (await store.heads()).filter(
    ({ module, revision, canary }) => !named.has(module) && (revision !== null || canary !== null),
  );
  const wanted = [...modules, ...others.map(({ module }) => ({ module, revision: null, manifest: null }))];
  return Promise.all(
    wanted.map(async each => ({
      ...each,
      canary: null,
      last: await store.lastHead(each.module),
      force: false,
      makeRoom: true,
    })),
  );
}
