import { UsageError } from '../../../protocol/errors.ts';
import type { CallRequest } from '../../../protocol/messages.ts';
import { isModuleName } from '../../../protocol/names.ts';

const CALL = /^\s*([^.()\s]+)\.([A-Za-z_$][\w$]*)\s*\(([\s\S]*)\)\s*;?\s*$/;

/**
 * Reads a call as a user writes it: `demo.add(4, 5)`; what stands between the parentheses is JSON.
 *
 * @throws UsageError which says what does not fit.
 */
export function parseCall(text: string): CallRequest {
  const [, module, name, inner] = CALL.exec(text) ?? [];
  if (module === undefined || name === undefined || inner === undefined || !isModuleName(module)) {
    throw new UsageError(`${JSON.stringify(text)} is no call: write it as 'demo.add(4, 5)'`);
  }
  try {
    return { module, function: name, args: JSON.parse(`[${inner}]`) as unknown[] };
  } catch (cause) {
    throw new UsageError(
      `the arguments (${inner}) are not JSON: write texts in double quotes, as in demo.greet("fred")`,
      {
        cause,
      },
    );
  }
}
