import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { type Owner, readFiles, replaceFile } from '../../../../shared/files.ts';
import type { Holder, KeyFile } from './make-keys.ts';

export type KeyFolders = ReturnType<typeof keyFolders>;

/**
 * The key folders: one volume for each holder.
 *
 * @param root the folder with the holders' folders.
 * @param folderOf the name of a holder's folder.
 */
export function keyFolders(
  root: string,
  ownerOf: (holder: Holder) => Owner,
  folderOf: (holder: Holder) => string = holder => holder,
) {
  return {
    /** Writes a file that only its holder can read. A reader sees the old content or all of the new one. */
    write({ holder, path, text }: KeyFile): void {
      const owner = ownerOf(holder);
      const file = join(root, folderOf(holder), path);
      const folder = dirname(file);
      mkdirSync(folder, { recursive: true });
      for (const each of [join(root, folderOf(holder)), folder]) {
        chmodSync(each, 0o700);
        chownSync(each, owner.uid, owner.gid);
      }
      replaceFile(file, text, 0o400, owner);
    },

    /** The content of a file; null when there is no such file. */
    read(holder: Holder, path: string): Uint8Array | null {
      const file = join(root, folderOf(holder), path);
      return existsSync(file) ? readFileSync(file) : null;
    },

    remove(holder: Holder, path: string): void {
      rmSync(join(root, folderOf(holder), path), { force: true });
    },

    /** The contents of the files in a holder's folder whose names have an end; none when there is no such folder. */
    readAll: (holder: Holder, folder: string, suffix = '.json'): Uint8Array[] =>
      readFiles(join(root, folderOf(holder), folder), suffix),
  };
}

/** The volume of a holder: a controller with the root key makes keys itself. Whoever wants to can keep that key elsewhere. */
export const volumeOf = (holder: Holder): string => (holder === 'root' ? 'controller' : holder);

/** Changes the owner of a folder and of everything in it, when it exists. */
export function handOver(folder: string, { uid, gid }: Owner): void {
  if (!existsSync(folder)) return;
  const inside = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const path of [folder, ...inside.map(each => join(folder, each))]) chownSync(path, uid, gid);
}
