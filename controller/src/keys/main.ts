import { NATS_CA, ROLES } from '../../../protocol/connection.ts';
import { HotcastError } from '../../../protocol/errors.ts';
import { makeCertificate } from './certificate.ts';
import { type KeysConfig, loadConfig } from './config.ts';
import { KeyFolders, type Owner } from './key-folders.ts';
import { type Holder, makeKeys, natsFile, readPublicKeys, USERS } from './make-keys.ts';

/** Who runs in the containers: `node` of the official image; the roster is root without any capability. */
const NODE: Owner = { uid: 1000, gid: 1000 };
const ROOT: Owner = { uid: 0, gid: 0 };

const OWNERS: Record<Holder, Owner> = {
  controller: NODE,
  node: NODE,
  roster: ROOT,
  observer: NODE,
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
  const fresh = cookies.filter(cookie => !clusters.some(known => known.cookie === cookie)).map(makeKeys);
  // What marks a cookie as made is the last of its files.
  for (const { files } of fresh) for (const file of files) folders.write(file);
  const all = [...clusters, ...fresh.map(({ users }) => users)];
  const authority = tls ? await authorityOf(folders, hosts) : null;
  for (const { cookie } of all) {
    for (const holder of ROLES) {
      if (authority === null) folders.remove(holder, `${cookie}/${NATS_CA}`);
      else folders.write({ holder, path: `${cookie}/${NATS_CA}`, text: authority });
    }
  }
  folders.write(natsFile(all, tls));
  const made = fresh.map(({ users }) => users.cookie).join(', ');
  process.stdout.write(`${JSON.stringify({ msg: made === '' ? 'all keys are there' : `made the keys of ${made}` })}\n`);
}

/** Who vouches for NATS's certificate, which is made when it is not there. */
async function authorityOf(folders: KeyFolders, hosts: readonly string[]): Promise<string> {
  const known = folders.read('nats', NATS_CA);
  if (known !== null) return known;
  const { authority, certificate, privateKey } = await makeCertificate(hosts);
  folders.write({ holder: 'nats', path: 'cert.pem', text: certificate });
  folders.write({ holder: 'nats', path: 'key.pem', text: privateKey });
  folders.write({ holder: 'nats', path: NATS_CA, text: authority });
  return authority;
}

try {
  await main(loadConfig(process.env));
} catch (error) {
  if (!(error instanceof HotcastError)) throw error;
  process.stderr.write(`hotcast-keys: ${error.message}\n`);
  process.exitCode = 2;
}
