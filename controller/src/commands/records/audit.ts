import type { Handler } from '../context.ts';

/** Lists what was done to the cluster, newest first. */
export const audit: Handler<'audit'> = async (context, { since }) => ({
  command: 'audit',
  entries: (await context.audit.read(since)).toReversed(),
});
