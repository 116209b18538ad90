import { UsageError } from '../../../protocol/errors.ts';
import type { Handler } from './context.ts';

/** Nodes trust the earlier keys for at least this long: they may read what those have signed (milliseconds). */
const MIN_OVERLAP_MS = 10_000;

/** Signs with a new key from now on; nodes trust the earlier keys for the overlap. @throws UsageError when it is too short. */
export const rotateKeys: Handler<'keys rotate'> = async ({ store }, { overlap }) => {
  if (overlap < MIN_OVERLAP_MS) throw new UsageError('the overlap must be 10 s at least: nodes may be reading');
  const until = Date.now() + overlap;
  const { key, signedAgain } = await store.rotateKey(until);
  return { command: 'keys rotate', key, until, resealed: signedAgain };
};
