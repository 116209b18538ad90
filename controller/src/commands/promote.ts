import { UsageError } from '../../../protocol/errors.ts';
import { changeHeads, writeEach } from './change-heads.ts';
import type { Handler } from './context.ts';

/** Loads the revision of an open canary on every node. @throws UsageError when a module has no open canary. */
export const promote: Handler<'promote'> = async (context, command, report, signal, holds) =>
  changeHeads(context, command, { report, signal, holds }, () =>
    writeEach(context, command, { note: 'promote' }, (module, head) => {
      if (head?.canary) return head.canary;
      throw new UsageError(`${module} has no canary to promote (start one with: hotcast push ${module} --canary 1)`);
    }),
  );
