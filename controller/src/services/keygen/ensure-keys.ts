import { ROLES } from '../../../../protocol/inboxes.ts';
import { NATS_CA_FILE, NATS_SEED_FILE } from '../../../../shared/nats/options.ts';
import { ROOT_KEY_SUFFIX } from '../../../../shared/signing/trust.ts';
import {
  ISSUER_SEED_FILE,
  PUBLIC_KEYS_FOLDER,
  type PublicKeys,
  publicKeysFile,
  readPublicKeys,
} from '../../nats-auth/public-keys.ts';
import { makeCertificate } from './certificate.ts';
import type { KeygenConfig } from './config.ts';
import type { KeyFolders } from './key-folders.ts';
import { keysBefore } from './keys-before.ts';
import { ensureMachineKeys, type MachineLinks } from './machine-keys.ts';
import {
  AUTH_CALLOUT_KEYS,
  type AuthCalloutKeys,
  EARLIER_KEY_SUFFIX,
  type Holder,
  type KeyFile,
  makeAuthCalloutKeys,
  makeKeys,
  makeMissingUsers,
  makeRoot,
  readAuthCalloutKeys,
} from './make-keys.ts';
import { accountOf, ACCOUNTS_FILE, LINK_FILES, natsAccounts } from './nats-accounts.ts';

interface KeysWanted extends Pick<KeygenConfig, 'cookies' | 'tls' | 'hosts' | 'machine' | 'machines'> {
  /** Whether nodes of the release before run too: they know no lists of keys. */
  readonly forEarlier: boolean;
}

/**
 * Makes the keys that are missing, also those of roles that an earlier release did not have, and writes NATS's accounts. Existing keys stay, also those of cookies that are not listed.
 *
 * @returns the cookies whose keys were made.
 */
export async function ensureKeys(
  folders: KeyFolders,
  { cookies, tls, hosts, machine, machines, forEarlier }: KeysWanted,
): Promise<string[]> {
  const completed = folders.readAll('nats', PUBLIC_KEYS_FOLDER).map(file => makeMissingUsers(readPublicKeys(file)));
  for (const { files } of completed) for (const file of files) folders.write(file);
  for (const { users } of completed) ensureRoot(folders, users.cookie);
  const known = completed.map(({ users }) => users);
  const authCallout = ensureAuthCalloutKeys(folders);
  // The volume of the auth callout can be newer than the keys of a cookie: in an earlier release it had another name.
  for (const users of known) folders.write({ holder: 'auth-callout', ...publicKeysFile(users) });
  const made = cookies
    .filter(cookie => !known.some(users => users.cookie === cookie))
    .map(cookie => makeKeys(cookie, keysBefore(folders, cookie, Date.now())));
  for (const { files } of made) {
    for (const file of files) if (forEarlier || !isForEarlier(file)) folders.write(file);
  }
  const all = [...known, ...made.map(({ users }) => users)];

  const authority = tls ? await ensureCertificate(folders, hosts, '') : null;
  const authorityFiles: [Holder, string][] = [
    ['auth-callout', NATS_CA_FILE],
    ...ROLES.flatMap(role => all.map(({ cookie }): [Holder, string] => [role, `${cookie}/${NATS_CA_FILE}`])),
  ];
  for (const [holder, path] of authorityFiles) {
    if (authority === null) folders.remove(holder, path);
    else folders.write({ holder, path, text: authority });
  }
  const hub =
    machines.length === 0
      ? null
      : { machine, links: await ensureLinks(folders, { machines, hosts, all, authCallout }) };
  folders.write({ holder: 'nats', path: ACCOUNTS_FILE, text: natsAccounts(all.map(accountOf), authCallout, tls, hub) });
  return made.map(({ users }) => users.cookie);
}

interface LinksWanted extends Pick<KeygenConfig, 'machines' | 'hosts'> {
  readonly all: readonly PublicKeys[];
  readonly authCallout: AuthCalloutKeys;
}

/** The links of other machines, which are encrypted whatever the processes of this one do. */
async function ensureLinks(
  folders: KeyFolders,
  { machines, hosts, all, authCallout }: LinksWanted,
): Promise<MachineLinks[]> {
  const authority = await ensureCertificate(folders, hosts, LINK_FILES);
  const cookies = all.map(({ cookie }) => cookie);
  return ensureMachineKeys(folders, machines, cookies, authCallout, Buffer.from(authority).toString());
}

const isForEarlier = ({ holder, path }: KeyFile): boolean => holder === 'trust' && path.endsWith(EARLIER_KEY_SUFFIX);

/** Makes the root key of a cookie whose keys an earlier release has made. One whose private half is kept elsewhere stays. */
function ensureRoot(folders: KeyFolders, cookie: string): void {
  if (folders.readAll('trust', cookie, ROOT_KEY_SUFFIX).length > 0) return;
  for (const file of makeRoot(cookie, keysBefore(folders, cookie, Date.now()))) folders.write(file);
}

/** The auth callout's public keys. They are made again when its own folder lacks the private ones. */
function ensureAuthCalloutKeys(folders: KeyFolders): AuthCalloutKeys {
  const known = folders.read('nats', AUTH_CALLOUT_KEYS);
  const seeds = [NATS_SEED_FILE, ISSUER_SEED_FILE].map(file => folders.read('auth-callout', file));
  if (known !== null && !seeds.includes(null)) return readAuthCalloutKeys(known);
  const { files, keys } = makeAuthCalloutKeys();
  // NATS's file is the last: when it exists, all of them do.
  for (const file of files) folders.write(file);
  return keys;
}

/** The authority of a certificate of NATS, PEM. @param prefix of the names of its files. */
async function ensureCertificate(
  folders: KeyFolders,
  hosts: readonly string[],
  prefix: string,
): Promise<string | Uint8Array> {
  const known = folders.read('nats', `${prefix}${NATS_CA_FILE}`);
  if (known !== null) return known;
  const { authority, certificate, privateKey } = await makeCertificate(hosts);
  folders.write({ holder: 'nats', path: `${prefix}cert.pem`, text: certificate });
  folders.write({ holder: 'nats', path: `${prefix}key.pem`, text: privateKey });
  folders.write({ holder: 'nats', path: `${prefix}${NATS_CA_FILE}`, text: authority });
  return authority;
}
