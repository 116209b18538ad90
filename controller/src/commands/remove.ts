import { UsageError } from '../../../protocol/errors.ts';
import { changeHeads, writeEach } from './change-heads.ts';
import type { Handler } from './context.ts';

/** Removes modules from every node. @throws UsageError when one is not deployed. */
export const remove: Handler<'remove'> = async (context, command, report) =>
  changeHeads(context, command, report, () =>
    writeEach(context, command, (module, head) => {
      if (head?.revision || head?.canary) return { revision: null, manifest: null };
      throw new UsageError(`${module} is not deployed, so there is nothing to remove`);
    }),
  );
