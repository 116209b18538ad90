import { HotcastError, UsageError } from '../../../protocol/errors.ts';
import { COOKIE_RULE, isCookie } from '../../../protocol/names.ts';
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
function main(env: NodeJS.ProcessEnv): void {
  const cookies = (env['COOKIES'] || env['COOKIE'] || 'dino').split(/[\s,]+/).filter(cookie => cookie !== '');
  const wrong = cookies.find(cookie => !isCookie(cookie));
  if (wrong !== undefined) throw new UsageError(`COOKIE ${JSON.stringify(wrong)} must be ${COOKIE_RULE}`);
  const folders = new KeyFolders(env['VOLUMES'] || '/volumes', OWNERS);
  folders.handOver(STREAM, NODE);

  const clusters = folders.readAll('nats', USERS).map(readPublicKeys);
  const fresh = cookies.filter(cookie => !clusters.some(known => known.cookie === cookie)).map(makeKeys);
  // What marks a cookie as made is the last of its files.
  for (const { files } of fresh) for (const file of files) folders.write(file);
  folders.write(natsFile([...clusters, ...fresh.map(({ users }) => users)]));
  const made = fresh.map(({ users }) => users.cookie).join(', ');
  process.stdout.write(`${JSON.stringify({ msg: made === '' ? 'all keys are there' : `made the keys of ${made}` })}\n`);
}

try {
  main(process.env);
} catch (error) {
  if (!(error instanceof HotcastError)) throw error;
  process.stderr.write(`hotcast-keys: ${error.message}\n`);
  process.exitCode = 2;
}
