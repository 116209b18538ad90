import { nkeys } from '@nats-io/transport-node';
import * as v from 'valibot';

import { decode, encode } from '../../../../protocol/codec.ts';
import { NATS_SEED_FILE } from '../../../../shared/nats/options.ts';
import { makeSigningKey, readSigningKey, trustedKeyFile } from '../../../../protocol/signing/keys.ts';
import { SIGNING_KEY } from '../../store/keyring.ts';
import { type Account, type AuthCallout, natsConfig, permissionsOf, TLS } from '../../nats-auth/permissions.ts';
import { type Role, ROLES } from '../../../../protocol/inboxes.ts';

/** Who reads a folder of keys: a volume of its own, so that no container has more than it needs. */
export type Holder = Role | 'auth-callout' | 'trust' | 'nats';

/** A file to be written into a holder's folder. */
export interface KeyFile {
  readonly holder: Holder;
  /** Within the folder: `dino/nats.nk`. */
  readonly path: string;
  readonly text: string | Uint8Array;
}

/** What NATS's own configuration includes, in its folder. */
export const ACCOUNTS = 'accounts.conf';

/** Where the public halves are kept, in NATS's folder: by them its configuration is written again for one more cookie. */
export const USERS = 'users';

/** The seed with which the door signs, in its folder. */
export const ISSUER_SEED = 'issuer.nk';

/** The door's public keys, in NATS's folder. */
export const AUTH_CALLOUT_KEYS = 'auth-callout.json';

const doorKeys = v.object({ user: v.string(), issuer: v.string() });

const publicKeys = v.object({ cookie: v.string(), users: v.record(v.picklist(ROLES), v.string()) });

/** The public halves of one cookie's NATS users. */
export type PublicKeys = v.InferOutput<typeof publicKeys>;

/** All that a cookie's cluster needs to know each other: a key to sign with, and a NATS user for each role. */
export function makeKeys(cookie: string): { readonly files: KeyFile[]; readonly users: PublicKeys } {
  const pairs = ROLES.map(role => ({ role, pair: nkeys.createUser() }));
  const pem = makeSigningKey();
  const signing = readSigningKey(pem);
  const users = {
    cookie,
    users: Object.fromEntries(pairs.map(({ role, pair }) => [role, pair.getPublicKey()])) as PublicKeys['users'],
  };
  const seeds = pairs.map(({ role, pair }) => ({
    holder: role,
    path: `${cookie}/${NATS_SEED_FILE}`,
    text: pair.getSeed(),
  }));
  const files: KeyFile[] = [
    ...seeds,
    { holder: 'trust', path: `${cookie}/${signing.id}.json`, text: trustedKeyFile(signing, null) },
    { holder: 'controller', path: `${cookie}/${SIGNING_KEY}`, text: pem },
    { holder: 'auth-callout', path: `${USERS}/${cookie}.json`, text: encode(users) },
    { holder: 'nats', path: `${USERS}/${cookie}.json`, text: encode(users) },
  ];
  return { files, users };
}

/** Reads what {@link makeKeys} wrote of a cookie's users. @throws DecodeError */
export function readPublicKeys(file: Uint8Array): PublicKeys {
  return decode(publicKeys, file);
}

/** What the process that lets nodes in needs: a NATS user of its own, and a key to sign with whom it lets in. */
export function makeAuthCalloutKeys(): { readonly files: KeyFile[]; readonly door: AuthCallout } {
  const user = nkeys.createUser();
  const issuer = nkeys.createAccount();
  const door = { user: user.getPublicKey(), issuer: issuer.getPublicKey() };
  const files: KeyFile[] = [
    { holder: 'auth-callout', path: NATS_SEED_FILE, text: user.getSeed() },
    { holder: 'auth-callout', path: ISSUER_SEED, text: issuer.getSeed() },
    { holder: 'nats', path: AUTH_CALLOUT_KEYS, text: encode(door) },
  ];
  return { files, door };
}

/** Reads what {@link makeAuthCalloutKeys} wrote for NATS. @throws DecodeError */
export function readAuthCalloutKeys(file: Uint8Array): AuthCallout {
  return decode(doorKeys, file);
}

/** A cookie's account at NATS. */
export function accountOf({ cookie, users }: PublicKeys): Account {
  const others = ROLES.filter(role => role !== 'node');
  return { cookie, users: others.map(role => ({ nkey: users[role] ?? '', ...permissionsOf(role, cookie) })) };
}

/** NATS's configuration of all accounts, as a file; with TLS when that is wanted. */
export function natsFile(clusters: readonly PublicKeys[], door: AuthCallout, withTls: boolean): KeyFile {
  const accounts = natsConfig(clusters.map(accountOf), door);
  return { holder: 'nats', path: ACCOUNTS, text: withTls ? `${TLS}${accounts}` : accounts };
}
