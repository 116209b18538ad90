import { UsageError } from '../../../../protocol/errors.ts';
import type { Handler } from '../context.ts';

/** The kept heads of a module with their results, newest first. @throws UsageError when it was never pushed. */
export const history: Handler<'history'> = async ({ store }, { module }) => {
  const [heads, results] = await Promise.all([store.history(module), store.headResultHistory(module)]);
  if (heads.length === 0) throw new UsageError(`${module} was never pushed, so it has no history`);
  return {
    command: 'history',
    module,
    heads: heads.toReversed().map(head => {
      const [outcome = null, ...later] = results.filter(({ sequence }) => sequence === head.sequence);
      return { ...head, outcome, later };
    }),
  };
};
