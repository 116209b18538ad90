import { decodeBundle } from '../../../protocol/bundle.ts';
import { DecodeError, UsageError } from '../../../protocol/errors.ts';
import type { Head } from '../../../protocol/head.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { whyOf } from '../../../protocol/history/why.ts';
import { manifestOf, previousRevision } from '../rollout/previous-revision.ts';
import { type HeadChange, writeHeads } from '../rollout/write-heads.ts';
import type { StreamStore } from '../store/stream-store.ts';
import { changeHeads } from './change-heads.ts';
import type { Handler } from './context.ts';

/**
 * Writes the last heads of modules again, above all that the nodes have seen, and signs their bundles with the present key. If the
 * bundle of a head can't be read any more, the new head names the previous revision whose bundle can.
 *
 * @throws UsageError when a module has no head, or none whose bundle can be read.
 */
export const repair: Handler<'repair'> = async (context, command, report, signal, holds) => {
  const { store } = context;
  const left: string[] = [];
  const result = await changeHeads(context, command, { report, signal, holds }, async () => {
    const changes = await Promise.all(command.modules.map(module => changeOf(store, module)));
    for (const { module } of changes) await store.signAgain(module);
    for (const { module, revision, last } of changes) {
      const before = last.head?.revision ?? null;
      if (before === revision || before === null) continue;
      left.push(
        `the bundle of ${module}@${shortRevision(before)} can't be read, so ${module} is back on an earlier one`,
      );
    }
    return writeHeads(store, changes, {
      author: command.author,
      push: command.change,
      note: 'repair',
      repeats: true,
      ...whyOf(command),
    });
  });
  return left.length === 0 || result.outcome !== 'committed' ? result : { ...result, detail: left.join('; ') };
};

async function changeOf(store: StreamStore, module: string): Promise<HeadChange> {
  const { history, last } = await store.historyToLast(module);
  const { head } = last;
  if (head === null) throw new UsageError(`the stream has no head of ${module}; push it again`);
  const revision = await readableRevision(store, head, history);
  const isOpen = head.canary !== null && (await isReadable(store, module, head.canary.revision));
  const manifest = revision === head.revision ? head.manifest : manifestOf(revision, history);
  return { module, revision, manifest, canary: isOpen ? head.canary : null, last, force: false, makeRoom: true };
}

/** The head's revision, or the previous one whose bundle can be read; null when the head says that the module is removed. */
async function readableRevision(store: StreamStore, head: Head, history: readonly Head[]): Promise<string | null> {
  const leave: (string | null)[] = [null];
  let { revision } = head;
  while (revision !== null && !(await isReadable(store, head.module, revision))) {
    leave.push(revision);
    revision = previousRevision({ ...head, canary: null }, history, leave);
    if (revision === null) throw new UsageError(`the stream has no bundle of ${head.module} any more; push it again`);
  }
  return revision;
}

async function isReadable(store: StreamStore, module: string, revision: string): Promise<boolean> {
  const packed = await store.bundle({ module, revision });
  try {
    return packed !== null && decodeBundle(packed).revision === revision;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}
