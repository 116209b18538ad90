import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { makeKeys } from '../../controller/src/services/keygen/make-keys.ts';

/** Writes the keys of a controller into two folders, as keygen does, and what nodes trust, also those of the release before. */
export function writeControllerKeys(keysDir: string, trustDir: string, cookie: string): void {
  const folders = { controller: keysDir, root: keysDir, trust: trustDir };
  for (const folder of [keysDir, trustDir]) mkdirSync(folder, { recursive: true });
  for (const { holder, path, text } of makeKeys(cookie).files) {
    if (holder === 'controller' || holder === 'root' || holder === 'trust')
      writeFileSync(join(folders[holder], basename(path)), text);
  }
}
