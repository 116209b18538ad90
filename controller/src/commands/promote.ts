import { UsageError } from '../../../protocol/errors.ts';
import { changeHeads, writeEach } from './change-heads.ts';
import type { Handler } from './context.ts';

/** Loads the revision of an open canary on every node. @throws UsageError when a module has no open canary. */
export const promote: Handler<'promote'> = async (context, command, report) =>
  changeHeads(context, command, report, () =>
    writeEach(context, command, { note: 'promote' }, (module, head) => {
      if (head?.canary) return head.canary;
      throw new UsageError(`${module} has no canary to promote (start one with: hotcast push ${module} --canary 1)`);
    }),
  );
