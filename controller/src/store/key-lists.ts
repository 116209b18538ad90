import * as v from 'valibot';

import { decode, encode } from '../../../protocol/codec.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { count } from '../../../protocol/schemas.ts';
import type { TrustedKeys } from '../../../protocol/signing/envelope.ts';
import { type KeyList, signKeyList, verifyKeyList } from '../../../protocol/signing/key-list.ts';
import type { SigningKey } from '../../../protocol/signing/keys.ts';

/** The file with the lists that the controller writes into the stream, in its folder of keys, beside the key that signs. */
export const KEY_LISTS = 'key-lists.json';

/** The file with the root key, beside it. It can be kept elsewhere. */
export const ROOT_KEY = 'root.pem';

const fileSchema = v.object({
  lists: v.array(v.object({ afterMs: count, envelope: v.pipe(v.string(), v.base64()) })),
});

/** Nodes trust the keys before a new one for at least this long: they may read what those have signed (milliseconds). */
export const MIN_OVERLAP_MS = 10_000;

/** A list that is to be written. */
export interface DueList {
  readonly list: KeyList;
  /** The list in its envelope. */
  readonly envelope: Uint8Array;
  /** How long the list before it has to be in force (milliseconds). */
  readonly afterMs: number;
}

/** The text of {@link KEY_LISTS}, in the order of the numbers. */
export function keyListsFile(lists: readonly DueList[]): Uint8Array {
  return encode({
    lists: lists.map(({ afterMs, envelope }) => ({ afterMs, envelope: Buffer.from(envelope).toString('base64') })),
  });
}

/** Reads the text of {@link KEY_LISTS}. @throws DecodeError also when no root key that nodes know has signed a list */
export function readKeyLists(roots: TrustedKeys, subject: string, file: Uint8Array): DueList[] {
  return decode(fileSchema, file)
    .lists.map(({ afterMs, envelope: text }) => {
      const envelope = Buffer.from(text, 'base64');
      const verified = verifyKeyList(roots, subject, envelope);
      if (verified.status === 'verified') return { list: verified.list, envelope, afterMs };
      throw new DecodeError(`a list of keys is not signed by a root key: ${verified.fault}`);
    })
    .toSorted((a, b) => a.list.number - b.list.number);
}

/** Signs lists, each of which follows the one before it. */
export function signKeyLists(
  root: SigningKey,
  subject: string,
  lists: readonly (KeyList & { readonly afterMs: number })[],
): DueList[] {
  return lists.map(({ afterMs, ...list }) => ({ list, envelope: signKeyList(root, subject, list), afterMs }));
}

/**
 * The lists of a rotation: first the new key is trusted beside the present ones, then alone.
 *
 * @param present the list in force; null for none.
 * @param above the highest number that any list has had.
 * @param overlapMs how long the present keys are trusted beside the new one (milliseconds).
 */
export function rotatedLists(
  present: KeyList | null,
  above: number,
  publicKey: string,
  overlapMs: number,
): [KeyList & { readonly afterMs: number }, KeyList & { readonly afterMs: number }] {
  const { trusted, ended } = present ?? { trusted: [], ended: [] };
  const before = trusted.filter(key => key !== publicKey);
  const endedBefore = ended.filter(key => key !== publicKey);
  return [
    { number: above + 1, trusted: [publicKey, ...before], ended: endedBefore, afterMs: 0 },
    { number: above + 2, trusted: [publicKey], ended: [...new Set([...endedBefore, ...before])], afterMs: overlapMs },
  ];
}

/** The list without a key, which neither nodes nor the controller believe any more. */
export function listWithout(
  present: KeyList,
  above: number,
  publicKey: string,
): KeyList & { readonly afterMs: number } {
  const without = (keys: readonly string[]): string[] => keys.filter(key => key !== publicKey);
  return { number: above + 1, trusted: without(present.trusted), ended: without(present.ended), afterMs: 0 };
}
