import * as v from 'valibot';

import { decode, encode } from '../../../protocol/codec.ts';
import { ROLES } from '../../../protocol/inboxes.ts';

const publicKeys = v.object({ cookie: v.string(), users: v.record(v.picklist(ROLES), v.string()) });

/** The public keys (nkeys) of one cookie's NATS users, by role. */
export type PublicKeys = v.InferOutput<typeof publicKeys>;

/** The folder with a file for each cookie, in the key folders of NATS and of the auth callout. */
export const PUBLIC_KEYS_FOLDER = 'users';

/** The file with the seed that signs the answers of the auth callout, in its key folder. */
export const ISSUER_SEED_FILE = 'issuer.nk';

/** The file of a cookie's public keys, within a key folder. */
export function publicKeysFile(keys: PublicKeys): { readonly path: string; readonly text: Uint8Array } {
  return { path: `${PUBLIC_KEYS_FOLDER}/${keys.cookie}.json`, text: encode(keys) };
}

/** Reads the text of a {@link publicKeysFile}. @throws DecodeError */
export function readPublicKeys(file: Uint8Array): PublicKeys {
  return decode(publicKeys, file);
}
