import { UsageError } from '../../../../protocol/errors.ts';
import type { ResultOf } from '../../api/results.ts';
import type { CommandContext, Handler } from '../context.ts';

type Entry = ResultOf<'history'>['heads'][number];

/** The kept heads of a module, or of all, with their results, newest first. @throws UsageError when the module was never pushed. */
export const history: Handler<'history'> = async (context, { module }) => {
  const modules = module === null ? (await context.store.heads()).map(head => head.module) : [module];
  const heads = inOrderOfTime(await Promise.all(modules.map(each => entriesOf(context, each))));
  if (module !== null && heads.length === 0) throw new UsageError(`${module} was never pushed, so it has no history`);
  return { command: 'history', module, heads };
};

/** The kept heads of a module, oldest first. */
async function entriesOf({ store }: CommandContext, module: string): Promise<Entry[]> {
  const [heads, results] = await Promise.all([store.history(module), store.headResultHistory(module)]);
  return heads.map(head => {
    const [outcome = null, ...later] = results.filter(({ sequence }) => sequence === head.sequence);
    return { ...head, outcome, later };
  });
}

/** All heads, the newest first. Those of a module stay in their order, also where a clock was wrong. */
export function inOrderOfTime<T extends { readonly at: number }>(histories: readonly (readonly T[])[]): T[] {
  const timed = histories.flatMap(heads => {
    let latest = 0;
    return heads.map(head => {
      latest = Math.max(latest, head.at);
      return { head, latest };
    });
  });
  return timed
    .toSorted((a, b) => a.latest - b.latest)
    .map(({ head }) => head)
    .toReversed();
}
