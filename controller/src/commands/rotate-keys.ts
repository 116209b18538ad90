import { UsageError } from '../../../protocol/errors.ts';
import type { RotateKeysCommand } from '../api/command.ts';
import type { RotateResult } from '../api/results.ts';
import type { CommandContext } from './context.ts';

/** Nodes trust the earlier keys for at least this long: they may read what those have signed (milliseconds). */
const MIN_OVERLAP_MS = 10_000;

/**
 * Signs with a new key from now on. Nodes trust it at once, and the earlier keys for the overlap. The records that the stream
 * keeps are signed again, so that nodes which start later find what they trust. An interrupted rotation is finished by the
 * next one.
 *
 * @throws UsageError when the overlap is too short.
 */
export async function rotateKeys(
  { keyring, store }: Pick<CommandContext, 'keyring' | 'store'>,
  { overlap }: RotateKeysCommand,
): Promise<RotateResult> {
  if (overlap < MIN_OVERLAP_MS) throw new UsageError('the overlap must be 10 s at least: nodes may be reading');
  const until = Date.now() + overlap;
  const key = keyring.rotate(until);
  let resealed = 0;
  for (const { module } of await store.heads()) resealed += await store.signAgain(module);
  return { command: 'keys rotate', key, until, resealed };
}
