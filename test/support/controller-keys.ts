import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { EARLIER_KEY_SUFFIX, makeKeys } from '../../controller/src/services/keygen/make-keys.ts';

/**
 * Writes the keys of a controller into two folders, as keygen does, and what nodes trust.
 *
 * @param forEarlier whether nodes of the release before run too.
 */
export function writeControllerKeys(keysDir: string, trustDir: string, cookie: string, forEarlier = true): void {
  const folders = { controller: keysDir, root: keysDir, trust: trustDir };
  for (const folder of [keysDir, trustDir]) mkdirSync(folder, { recursive: true });
  for (const { holder, path, text } of makeKeys(cookie).files) {
    if (holder !== 'controller' && holder !== 'root' && holder !== 'trust') continue;
    if (forEarlier || !path.endsWith(EARLIER_KEY_SUFFIX) || holder !== 'trust')
      writeFileSync(join(folders[holder], basename(path)), text);
  }
}
