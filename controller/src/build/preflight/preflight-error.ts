import type { Bundle } from '../../../../protocol/bundle.ts';
import { HotcastError } from '../../../../protocol/errors.ts';
import { mapStack } from '../../../../shared/stack-trace.ts';
import type { PreflightReason, Refusal } from './protocol.ts';

/** The preflight refused a module. The message says why and where, in one line. */
export class PreflightError extends HotcastError {
  readonly code = 'preflight';
  readonly reason: PreflightReason;

  constructor(bundle: Bundle, { reason, detail, stack }: Refusal) {
    const at = stack === null ? null : positionIn(stack, bundle);
    const where = at === null ? '' : ` (${at})`;
    super(`${bundle.module} was refused before it was sent: ${detail}${where}; nothing was sent`);
    this.reason = reason;
  }
}

/** The topmost position of a stack that is in the module's source: `modules/demo.ts:4:9`. */
function positionIn(stack: string, bundle: Bundle): string | null {
  return /@[0-9a-f]{12} (\S+:\d+:\d+)/.exec(mapStack(stack, () => bundle))?.[1] ?? null;
}
