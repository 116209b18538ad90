import { UsageError } from '../../../protocol/errors.ts';
import type { Keyring } from '../store/keyring.ts';
import type { RotateResult } from '../api/results.ts';
import type { StreamStore } from '../store/stream-store.ts';

/** Nodes go on trusting the keys before for this long at least: they may be reading what those have sealed (milliseconds). */
const SHORTEST_OVERLAP = 10_000;

/**
 * Seals with a new key from now on. Nodes trust it at once and the keys before for the overlap (milliseconds); what the
 * stream keeps is sealed again, so that nodes which start after it find what they trust. One that was cut short is finished
 * by the next.
 *
 * @throws UsageError when the overlap is too short.
 */
export async function rotateKeys(keyring: Keyring, store: StreamStore, overlap: number): Promise<RotateResult> {
  if (overlap < SHORTEST_OVERLAP) throw new UsageError('the overlap must be 10 s at least: nodes may be reading');
  const until = Date.now() + overlap;
  const key = keyring.rotate(until);
  let resealed = 0;
  for (const { module } of await store.heads()) resealed += await store.reseal(module);
  return { command: 'keys rotate', key, until, resealed };
}
