import { runTask } from '../../../../shared/run-service.ts';
import { loadConfig } from './config.ts';
import { ensureKeys } from './ensure-keys.ts';
import { KeyFolders, type Owner } from './key-folders.ts';
import type { Holder } from './make-keys.ts';

/** The users in the containers: `node` of the official image; the roster is root without any capability. */
const NODE: Owner = { uid: 1000, gid: 1000 };
const ROOT: Owner = { uid: 0, gid: 0 };

const OWNERS: Record<Holder, Owner> = {
  controller: NODE,
  node: NODE,
  roster: ROOT,
  observer: NODE,
  'auth-callout': NODE,
  // The controller writes here too, when it rotates its key.
  trust: NODE,
  nats: NODE,
};

/** NATS's data, which belonged to root before NATS ran as a user. */
const STREAM = 'stream';

// Runs once, before every other process. Each holder's folder is a volume.
await runTask({
  name: 'hotcast-keygen',
  loadConfig,
  run: async (config, log) => {
    const folders = new KeyFolders(config.volumes, OWNERS);
    folders.handOver(STREAM, NODE);
    const cookies = await ensureKeys(folders, config);
    log.info({ cookies }, cookies.length === 0 ? 'all keys exist' : 'made keys');
  },
});
