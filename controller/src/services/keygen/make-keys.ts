import { nkeys } from '@nats-io/transport-node';
import * as v from 'valibot';

import { decode, encode } from '../../../../protocol/codec.ts';
import { type Role, ROLES } from '../../../../protocol/inboxes.ts';
import { makeSigningKey, readSigningKey, rootKeyFile, trustedKeyFile } from '../../../../protocol/signing/keys.ts';
import type { KeyList } from '../../../../protocol/signing/key-list.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { NATS_SEED_FILE } from '../../../../shared/nats/options.ts';
import { ROOT_KEY_SUFFIX } from '../../../../shared/signing/trust.ts';
import { ISSUER_SEED_FILE, type PublicKeys, publicKeysFile } from '../../nats-auth/public-keys.ts';
import { KEY_LISTS, keyListsFile, ROOT_KEY, signKeyLists } from '../../store/key-lists.ts';
import { SIGNING_KEY } from '../../store/keyring.ts';

/** The reader of a key folder. Each has a volume of its own, so that no container has more keys than it needs. */
export type Holder =
  | Role
  | 'auth-callout'
  | 'trust'
  | 'nats'
  /** Of the files for other machines. Each is for one machine. */
  | 'machines'
  /** Of the root key, which signs lists of keys. No process needs it to run. */
  | 'root';

/** A file to be written into a holder's folder. */
export interface KeyFile {
  readonly holder: Holder;
  /** Within the folder: `dino/nats.nk`. */
  readonly path: string;
  readonly text: string | Uint8Array;
}

/** The public keys of a list, SPKI as base64. */
export type SigningKeys = Pick<KeyList, 'trusted' | 'ended'>;

/** How the files end that nodes of the release before read, in the folder of what nodes trust: one for each signing key. */
export const EARLIER_KEY_SUFFIX = '.json';

/** The file with the public keys of the auth callout, in NATS's folder. */
export const AUTH_CALLOUT_KEYS = 'auth-callout.json';

const authCalloutKeys = v.object({ user: v.string(), issuer: v.string() });

/** The public keys (nkeys) of the auth callout: of its NATS user, and of the key that signs its answers. */
export type AuthCalloutKeys = v.InferOutput<typeof authCalloutKeys>;

/**
 * Makes the keys of a cookie: a root key, a signing key that it has signed, and a NATS user for each role.
 *
 * @param before the keys that there were before: records in the stream are signed with them.
 */
export function makeKeys(
  cookie: string,
  before: SigningKeys = { trusted: [], ended: [] },
): { readonly files: KeyFile[]; readonly users: PublicKeys } {
  const { files: seeds, users: publicKeys } = makeUsers(cookie, ROLES);
  const pem = makeSigningKey();
  const signing = readSigningKey(pem);
  const users = { cookie, users: publicKeys };
  const files: KeyFile[] = [
    ...seeds,
    ...makeRoot(cookie, { ...before, trusted: [signing.publicHalf, ...before.trusted] }),
    { holder: 'trust', path: `${cookie}/${signing.id}${EARLIER_KEY_SUFFIX}`, text: trustedKeyFile(signing, null) },
    { holder: 'controller', path: `${cookie}/${SIGNING_KEY}`, text: pem },
    { holder: 'auth-callout', ...publicKeysFile(users) },
    { holder: 'nats', ...publicKeysFile(users) },
  ];
  return { files, users };
}

/** Makes a root key, and the first list that it signs. Its public half is all that a node is given. */
export function makeRoot(cookie: string, keys: SigningKeys): KeyFile[] {
  const pem = makeSigningKey();
  const root = readSigningKey(pem);
  const lists = signKeyLists(root, subjectsOf(cookie).keys, [{ number: 1, ...keys, afterMs: 0 }]);
  return [
    { holder: 'controller', path: `${cookie}/${KEY_LISTS}`, text: keyListsFile(lists) },
    { holder: 'root', path: `${cookie}/${ROOT_KEY}`, text: pem },
    // The last: with it, the others are there.
    { holder: 'trust', path: `${cookie}/root${ROOT_KEY_SUFFIX}`, text: rootKeyFile(root) },
  ];
}

/** Makes the NATS users of a cookie that are missing: an earlier release had fewer roles. */
export function makeMissingUsers({ cookie, users }: PublicKeys): {
  readonly files: KeyFile[];
  readonly users: PublicKeys;
} {
  const missing = ROLES.filter(role => users[role] === undefined);
  const made = makeUsers(cookie, missing);
  const all = { cookie, users: { ...users, ...made.users } };
  if (missing.length === 0) return { files: [], users: all };
  return { files: [...made.files, { holder: 'nats', ...publicKeysFile(all) }], users: all };
}

/** A NATS user for each of the roles: its seed, for its own folder, and its public key. */
function makeUsers(
  cookie: string,
  roles: readonly Role[],
): { readonly files: KeyFile[]; readonly users: PublicKeys['users'] } {
  const pairs = roles.map(role => ({ role, pair: nkeys.createUser() }));
  const files = pairs.map(({ role, pair }) => ({
    holder: role,
    path: `${cookie}/${NATS_SEED_FILE}`,
    text: pair.getSeed(),
  }));
  return { files, users: Object.fromEntries(pairs.map(({ role, pair }) => [role, pair.getPublicKey()])) };
}

/** Makes the keys of the auth callout: a NATS user, and a key that signs its answers. */
export function makeAuthCalloutKeys(): { readonly files: KeyFile[]; readonly keys: AuthCalloutKeys } {
  const user = nkeys.createUser();
  const issuer = nkeys.createAccount();
  const keys = { user: user.getPublicKey(), issuer: issuer.getPublicKey() };
  const files: KeyFile[] = [
    { holder: 'auth-callout', path: NATS_SEED_FILE, text: user.getSeed() },
    { holder: 'auth-callout', path: ISSUER_SEED_FILE, text: issuer.getSeed() },
    { holder: 'nats', path: AUTH_CALLOUT_KEYS, text: encode(keys) },
  ];
  return { files, keys };
}

/** Reads {@link AUTH_CALLOUT_KEYS}. @throws DecodeError */
export function readAuthCalloutKeys(file: Uint8Array): AuthCalloutKeys {
  return decode(authCalloutKeys, file);
}
