import type { Head } from '../../../../protocol/head.ts';
import type { HeadResult } from '../../../../protocol/history/head-result.ts';
import type { ResultOf } from '../../api/results.ts';
import type { CommandContext, Handler } from '../context.ts';

/** Looks up what came of a change by its id, in the heads that carry it and their results. */
export const result: Handler<'result'> = async (context, { change, modules }) => {
  const heads = await headsOf(context, change, modules);
  const results = await Promise.all(heads.map(head => firstResult(context, head)));
  const written = results.filter(each => each !== null);
  const most = (count: 'loaded' | 'refused' | 'silent'): number => Math.max(0, ...written.map(each => each[count]));
  return {
    command: 'result',
    change,
    outcome: outcomeOf(heads, results),
    modules: heads.map(({ module, revision, canary }) => ({
      module,
      revision: canary?.revision ?? revision,
      canary: canary !== null,
    })),
    loaded: most('loaded'),
    refused: most('refused'),
    silent: most('silent'),
  };
};

/** The heads that a change wrote. Those that were replaced since are found in the histories of the modules, or of all. */
async function headsOf({ store }: CommandContext, change: string, modules: readonly string[]): Promise<Head[]> {
  const heads = await store.heads();
  const newest = heads.filter(({ push }) => push === change);
  if (newest.length > 0) return newest;
  const among = modules.length > 0 ? modules : heads.map(({ module }) => module);
  const histories = await Promise.all(among.map(module => store.history(module)));
  return histories.flat().filter(({ push }) => push === change);
}

async function firstResult({ store }: CommandContext, { module, sequence }: Head): Promise<HeadResult | null> {
  return (await store.headResultHistory(module)).find(each => each.sequence === sequence) ?? null;
}

function outcomeOf(heads: readonly Head[], results: readonly (HeadResult | null)[]): ResultOf<'result'>['outcome'] {
  if (heads.length === 0) return 'none';
  if (results.some(each => each === null)) return 'unfinished';
  return results.some(each => each?.verdict === 'reverted') ? 'reverted' : 'committed';
}
