import { join } from 'node:path';

import type { Owner } from '../../../../shared/files.ts';
import { runTask } from '../../../../shared/run-service.ts';
import { loadConfig } from './config.ts';
import { ensureKeys } from './ensure-keys.ts';
import { handOver, keyFolders, volumeOf } from './key-folders.ts';
import { takeMachineKeys } from './machine-files.ts';
import { runInFolder } from './run-in-folder.ts';
import type { Holder } from './make-keys.ts';

/** The users in the containers: the roster is root without any capability, the others are the image's `node`. */
const NODE = { uid: 1000, gid: 1000 };
const ROOT = { uid: 0, gid: 0 };

const ownerOf = (holder: Holder): Owner => (holder === 'roster' || holder === 'machines' ? ROOT : NODE);

/** NATS's data, which belonged to root before NATS ran as a user. */
const STREAM = 'stream';

/** What an operator does in a folder of keys: `make DIR`. Without arguments, this runs once, before every other process. */
const args = process.argv.slice(2);

/** Makes the keys that the folders of all processes lack, or takes those that the hub has made for this machine. Each holder's folder is a volume. */
await runTask({
  name: 'hotcast-keygen',
  loadConfig,
  run: async (config, log) => {
    if (args.length > 0) return runInFolder(args, config);
    const folders = keyFolders(config.volumes, ownerOf, volumeOf);
    if (config.machineKeys !== '') {
      const machine = takeMachineKeys(folders, config);
      return log.info({ machine }, 'took the keys of this machine');
    }
    handOver(join(config.volumes, STREAM), NODE);
    const cookies = await ensureKeys(folders, { ...config, forEarlier: true });
    log.info({ cookies }, cookies.length === 0 ? 'all keys exist' : 'made keys');
  },
});
