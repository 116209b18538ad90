import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { readJsonFiles } from '../../../../shared/files.ts';
import type { Holder, KeyFile } from './make-keys.ts';

/** A user and group of a container. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The key folders: one volume for each holder. */
export class KeyFolders {
  readonly #root: string;
  readonly #owners: Readonly<Record<Holder, Owner>>;

  /** @param root the folder with the holders' folders. */
  constructor(root: string, owners: Readonly<Record<Holder, Owner>>) {
    this.#root = root;
    this.#owners = owners;
  }

  /** Writes a file that only its holder can read. A reader sees the old content or all of the new one. */
  write({ holder, path, text }: KeyFile): void {
    const { uid, gid } = this.#owners[holder];
    const file = join(this.#root, holder, path);
    const folder = dirname(file);
    mkdirSync(folder, { recursive: true });
    for (const each of [join(this.#root, holder), folder]) {
      chmodSync(each, 0o700);
      chownSync(each, uid, gid);
    }
    // Not replaceFile(): the new file has to belong to its reader before it takes the old one's place.
    writeFileSync(`${file}.new`, text, { mode: 0o400 });
    chownSync(`${file}.new`, uid, gid);
    renameSync(`${file}.new`, file);
  }

  /** The content of a file; null when there is no such file. */
  read(holder: Holder, path: string): Uint8Array | null {
    const file = join(this.#root, holder, path);
    return existsSync(file) ? readFileSync(file) : null;
  }

  remove(holder: Holder, path: string): void {
    rmSync(join(this.#root, holder, path), { force: true });
  }

  /** The contents of the JSON files in a holder's folder; none when there is no such folder. */
  readAll(holder: Holder, folder: string): Uint8Array[] {
    const path = join(this.#root, holder, folder);
    return existsSync(path) ? readJsonFiles(path) : [];
  }

  /** Changes the owner of a folder and of everything in it. */
  handOver(folder: string, { uid, gid }: Owner): void {
    const path = join(this.#root, folder);
    if (!existsSync(path)) return;
    chownSync(path, uid, gid);
    for (const each of readdirSync(path, { recursive: true, encoding: 'utf8' })) chownSync(join(path, each), uid, gid);
  }
}
