import { nodeDescription } from '../../../protocol/messages.ts';
import type { CommandOf } from '../api/command.ts';
import type { Client } from '../api/report.ts';
import type { HeadChangeResult } from '../api/results.ts';
import { askNodes } from '../fleet/ask-nodes.ts';
import { askForNewerHeads } from '../rollout/newer-heads.ts';
import { type HeadChange, type HeadsWritten, writeHeads } from '../rollout/write-heads.ts';
import { changeHeads } from './change-heads.ts';
import type { CommandContext, Handler } from './context.ts';

/**
 * Writes heads for what a backup says should run, above everything that this controller knows, and removes the other modules.
 * The records of the backup are in the stream before: see backup/restore.ts.
 */
export const restore: Handler<'restore'> = async (context, command, report, signal, holds) => {
  const changes = await changesTo(context, command, { report, signal });
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

async function changesTo(
  context: CommandContext,
  { modules, timeoutMs }: CommandOf<'restore'>,
  client: Pick<Client, 'report' | 'signal'>,
): Promise<HeadChange[]> {
  const { store } = context;
  const named = new Set(modules.map(({ module }) => module));
  const heads = await store.heads();
  const deployed = heads.filter(({ revision, canary }) => revision !== null || canary !== null);
  const lost = await lostModules(context, new Set([...named, ...heads.map(({ module }) => module)]), timeoutMs, client);
  const others = [...deployed.map(({ module }) => module).filter(module => !named.has(module)), ...lost];
  // Each goes where it went when the backup was made.
  const kept = modules.map(({ groups, ...each }) => ({ ...each, groups: groups ?? null }));
  const wanted = [...kept, ...others.map(module => ({ module, revision: null, manifest: null }))];
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

/**
 * The modules that nodes run by a head that the stream has lost, as the head shows that a controller has signed. What a node has
 * without a head (`compile`) stays, and is named.
 *
 * @param known the modules of the backup and of the stream.
 */
async function lostModules(
  context: CommandContext,
  known: ReadonlySet<string>,
  timeoutMs: number,
  { report, signal }: Pick<Client, 'report' | 'signal'>,
): Promise<string[]> {
  const { awaited: expected, departed } = await context.membership.expected();
  const answers = await askNodes(context, {
    verb: 'describe',
    expected,
    departed,
    timeoutMs,
    signal,
    schema: nodeDescription,
  });
  const running = [...answers.values()]
    .flatMap(({ answer: { node, modules } }) =>
      Object.entries(modules).map(([module, { sequence }]) => ({ node, module, isByHead: sequence > 0 })),
    )
    .filter(({ module }) => !known.has(module));
  const byHead = [...new Set(running.flatMap(({ module, isByHead }) => (isByHead ? [module] : [])))].toSorted();
  await askForNewerHeads(context, byHead, { expected, departed, timeoutMs });
  const lost = byHead.filter(module => context.store.highestSequence(module) > 0);
  const kept = running.filter(({ module }) => !lost.includes(module));
  if (kept.length > 0) {
    const list = kept.map(({ node, module }) => `${module} on ${node}`).join(', ');
    report({ type: 'warning', message: `no head has loaded these, so they stay until their nodes restart: ${list}` });
  }
  return lost;
}
