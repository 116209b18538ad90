import { UsageError } from '../../../../protocol/errors.ts';
import { offeredRevision } from '../../../../protocol/head.ts';
import { whyOf } from '../../../../protocol/history/why.ts';
import { writeHeads } from '../../rollout/write-heads.ts';
import { changeHeads } from '../change-heads.ts';
import type { Handler } from '../context.ts';

/** Lists the nodes that are kept off revisions, as the heads say. */
export const bans: Handler<'bans'> = async ({ store }) => {
  const heads = await store.heads();
  const entries = heads.flatMap(head =>
    head.keptOff.map(entry => ({
      module: head.module,
      ...entry,
      isCurrent: entry.revision === offeredRevision(head, entry.node),
    })),
  );
  return { command: 'bans', bans: entries.toSorted((a, b) => b.at - a.at) };
};

/**
 * Has a node, or all nodes, load again what they are kept off.
 *
 * @throws UsageError when nothing keeps them off.
 */
export const lift: Handler<'lift'> = async (context, command, report, signal, holds) =>
  changeHeads(context, command, { report, signal, holds }, async () => {
    const { store } = context;
    const { modules, node, author, change } = command;
    const changes = await Promise.all(
      modules.map(async module => {
        const last = await store.lastHead(module);
        const { head } = last;
        const entries = (head?.keptOff ?? []).filter(entry => node === null || entry.node === node);
        if (head === null || entries.length === 0) {
          const who = node === null ? 'no node is' : `${node} is not`;
          throw new UsageError(`${who} kept off a revision of ${module}`);
        }
        const { revision, manifest, canary } = head;
        const kept = { module, revision, manifest, canary, last, force: false, makeRoom: true };
        return { ...kept, lifts: entries };
      }),
    );
    const note = node === null ? 'lift' : `lift for ${node}`;
    return writeHeads(store, changes, { author, push: change, note, amends: true, ...whyOf(command) });
  });
