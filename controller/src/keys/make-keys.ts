import { nkeys } from '@nats-io/transport-node';
import * as v from 'valibot';

import { decode, encode } from '../../../protocol/codec.ts';
import { NATS_SEED, type Role, ROLES } from '../../../protocol/connection.ts';
import { makeSigningKey, readSigningKey, trustedKeyFile } from '../../../protocol/keys.ts';
import { SIGNING_KEY } from '../keyring.ts';
import { type Account, natsConfig, permissionsOf, TLS } from './nats-config.ts';

/** Who reads a folder of keys: a volume of its own, so that no container has more than it needs. */
export type Holder = Role | 'trust' | 'nats';

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
    path: `${cookie}/${NATS_SEED}`,
    text: pair.getSeed(),
  }));
  const files: KeyFile[] = [
    ...seeds,
    { holder: 'trust', path: `${cookie}/${signing.id}.json`, text: trustedKeyFile(signing, null) },
    { holder: 'controller', path: `${cookie}/${SIGNING_KEY}`, text: pem },
    { holder: 'nats', path: `${USERS}/${cookie}.json`, text: encode(users) },
  ];
  return { files, users };
}

/** Reads what {@link makeKeys} wrote of a cookie's users. @throws DecodeError */
export function readPublicKeys(file: Uint8Array): PublicKeys {
  return decode(publicKeys, file);
}

/** A cookie's account at NATS. */
export function accountOf({ cookie, users }: PublicKeys): Account {
  return { cookie, users: ROLES.map(role => ({ nkey: users[role] ?? '', ...permissionsOf(role, cookie) })) };
}

/** NATS's configuration of all accounts, as a file; with TLS when that is wanted. */
export function natsFile(clusters: readonly PublicKeys[], withTls: boolean): KeyFile {
  const accounts = natsConfig(clusters.map(accountOf));
  return { holder: 'nats', path: ACCOUNTS, text: withTls ? `${TLS}${accounts}` : accounts };
}
