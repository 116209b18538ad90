import { UsageError } from '../../../protocol/errors.ts';
import { MIN_OVERLAP_MS } from '../store/key-lists.ts';
import type { Handler } from './context.ts';

/** Signs with a new key from now on; nodes trust the earlier keys for the overlap. @throws UsageError when it is too short. */
export const rotateKeys: Handler<'keys rotate'> = async ({ store }, { overlap }) => {
  if (overlap < MIN_OVERLAP_MS) throw new UsageError('the overlap must be 10 s at least: nodes may be reading');
  const { key, previous, signedAgain } = await store.rotateKey(overlap);
  return { command: 'keys rotate', key, previous: [...previous], until: Date.now() + overlap, resealed: signedAgain };
};

/** Has nobody believe a key any more, at once. @throws UsageError when it is the key that signs, or none that is believed. */
export const revokeKey: Handler<'keys revoke'> = async ({ store }, { key }) => {
  await store.revokeKey(key);
  return { command: 'keys revoke', key };
};
