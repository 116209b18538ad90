import * as v from 'valibot';

import { decode, encode } from '../../../protocol/codec.ts';
import { ROLES } from '../../../protocol/inboxes.ts';

const publicKeys = v.object({ cookie: v.string(), users: v.record(v.picklist(ROLES), v.string()) });

/** The roles of the first release with this file. An earlier release refuses a file that has others under `users`. */
const FIRST_ROLES: ReadonlySet<string> = new Set(['controller', 'node', 'roster', 'observer']);

const byRole = v.record(v.string(), v.string());

/** Such a file. `later`: the keys of the roles that came later. */
const stored = v.object({ cookie: v.string(), users: byRole, later: v.optional(byRole, {}) });

/** The public keys (nkeys) of one cookie's NATS users, by role. */
export type PublicKeys = v.InferOutput<typeof publicKeys>;

/** The folder with a file for each cookie, in the key folders of NATS and of the auth callout. */
export const PUBLIC_KEYS_FOLDER = 'users';

/** The file with the seed that signs the answers of the auth callout, in its key folder. */
export const ISSUER_SEED_FILE = 'issuer.nk';

/** The file of a cookie's public keys, within a key folder. */
export function publicKeysFile(keys: PublicKeys): { readonly path: string; readonly text: Uint8Array } {
  const { cookie } = keys;
  const entries = Object.entries(keys.users);
  const users = Object.fromEntries(entries.filter(([role]) => FIRST_ROLES.has(role)));
  const later = Object.fromEntries(entries.filter(([role]) => !FIRST_ROLES.has(role)));
  return { path: `${PUBLIC_KEYS_FOLDER}/${cookie}.json`, text: encode({ cookie, users, later }) };
}

/** Reads the text of a {@link publicKeysFile}. The keys of roles that only a later release has are left out. @throws DecodeError */
export function readPublicKeys(file: Uint8Array): PublicKeys {
  const { cookie, users, later } = decode(stored, file);
  const known = Object.entries({ ...users, ...later }).filter(([role]) => ROLES.some(each => each === role));
  return v.parse(publicKeys, { cookie, users: Object.fromEntries(known) });
}
