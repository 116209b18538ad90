import { NATS_CA_FILE } from '../../../../shared/nats/options.ts';
import { HotcastError } from '../../../../protocol/errors.ts';
import { makeCertificate } from './certificate.ts';
import { type KeysConfig, loadConfig } from './config.ts';
import { KeyFolders, type Owner } from './key-folders.ts';
import {
  AUTH_CALLOUT_KEYS,
  type Holder,
  makeAuthCalloutKeys,
  makeKeys,
  natsFile,
  readAuthCalloutKeys,
  readPublicKeys,
  USERS,
} from './make-keys.ts';
import { ROLES } from '../../../../protocol/inboxes.ts';

/** Who runs in the containers: `node` of the official image; the roster is root without any capability. */
const NODE: Owner = { uid: 1000, gid: 1000 };
const ROOT: Owner = { uid: 0, gid: 0 };

const OWNERS: Record<Holder, Owner> = {
  controller: NODE,
  node: NODE,
  roster: ROOT,
  observer: NODE,
  'auth-callout': NODE,
  // Written by the controller too, when it rotates its key.
  trust: NODE,
  nats: NODE,
};

/** NATS's data, which belonged to root before NATS ran as a user. */
const STREAM = 'stream';

/**
 * Runs once before everything else starts: makes the keys of each cookie that has none, into one folder (a volume) for
 * each process that holds some. What is there already stays.
 */
async function main({ cookies, volumes, tls, hosts }: KeysConfig): Promise<void> {
  const folders = new KeyFolders(volumes, OWNERS);
  folders.handOver(STREAM, NODE);

  const clusters = folders.readAll('nats', USERS).map(readPublicKeys);
  const known = folders.read('nats', AUTH_CALLOUT_KEYS);
  const made = known === null ? makeAuthCalloutKeys() : { files: [], door: readAuthCalloutKeys(Buffer.from(known)) };
  // What marks something as made is the last of its files.
  for (const file of made.files) folders.write(file);
  const fresh = cookies.filter(cookie => !clusters.some(cluster => cluster.cookie === cookie)).map(makeKeys);
  for (const { files } of fresh) for (const file of files) folders.write(file);
  const all = [...clusters, ...fresh.map(({ users }) => users)];
  const authority = tls ? await authorityOf(folders, hosts) : null;
  const authorities: [Holder, string][] = [
    ['auth-callout', NATS_CA_FILE],
    ...ROLES.flatMap(role => all.map(({ cookie }): [Holder, string] => [role, `${cookie}/${NATS_CA_FILE}`])),
  ];
  for (const [holder, path] of authorities) {
    if (authority === null) folders.remove(holder, path);
    else folders.write({ holder, path, text: authority });
  }
  folders.write(natsFile(all, made.door, tls));
  const names = fresh.map(({ users }) => users.cookie).join(', ');
  const msg = names === '' ? 'all keys are there' : `made the keys of ${names}`;
  process.stdout.write(`${JSON.stringify({ msg })}\n`);
}

/** Who vouches for NATS's certificate, which is made when it is not there. */
async function authorityOf(folders: KeyFolders, hosts: readonly string[]): Promise<string> {
  const known = folders.read('nats', NATS_CA_FILE);
  if (known !== null) return known;
  const { authority, certificate, privateKey } = await makeCertificate(hosts);
  folders.write({ holder: 'nats', path: 'cert.pem', text: certificate });
  folders.write({ holder: 'nats', path: 'key.pem', text: privateKey });
  folders.write({ holder: 'nats', path: NATS_CA_FILE, text: authority });
  return authority;
}

try {
  await main(loadConfig(process.env));
} catch (error) {
  if (!(error instanceof HotcastError)) throw error;
  process.stderr.write(`hotcast-keygen: ${error.message}\n`);
  process.exitCode = 2;
}
