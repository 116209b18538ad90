import { join } from 'node:path';

import { runTask } from '../../../../shared/run-service.ts';
import { loadConfig } from './config.ts';
import { ensureKeys } from './ensure-keys.ts';
import { handOver, keyFolders } from './key-folders.ts';

/** The users in the containers: the roster is root without any capability, the others are the image's `node`. */
const NODE = { uid: 1000, gid: 1000 };
const ROOT = { uid: 0, gid: 0 };

/** NATS's data, which belonged to root before NATS ran as a user. */
const STREAM = 'stream';

// Runs once, before every other process. Each holder's folder is a volume.
await runTask({
  name: 'hotcast-keygen',
  loadConfig,
  run: async (config, log) => {
    const folders = keyFolders(config.volumes, holder => (holder === 'roster' ? ROOT : NODE));
    handOver(join(config.volumes, STREAM), NODE);
    const cookies = await ensureKeys(folders, config);
    log.info({ cookies }, cookies.length === 0 ? 'all keys exist' : 'made keys');
  },
});
