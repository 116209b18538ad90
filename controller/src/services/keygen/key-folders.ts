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

import type { Holder, KeyFile } from './make-keys.ts';

/** A user and group of a container. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The folders of keys, one volume for each holder. */
export class KeyFolders {
  readonly #root: string;
  readonly #owners: Readonly<Record<Holder, Owner>>;

  /** @param root has a folder for each holder, which belongs to its owner afterwards. */
  constructor(root: string, owners: Readonly<Record<Holder, Owner>>) {
    this.#root = root;
    this.#owners = owners;
  }

  /** Writes a file that its holder alone can read; a reader sees the old one or the whole new one. */
  write({ holder, path, text }: KeyFile): void {
    const { uid, gid } = this.#owners[holder];
    const file = join(this.#root, holder, path);
    const folder = dirname(file);
    mkdirSync(folder, { recursive: true });
    for (const each of [join(this.#root, holder), folder]) {
      chmodSync(each, 0o700);
      chownSync(each, uid, gid);
    }
    const fresh = `${file}.new`;
    writeFileSync(fresh, text, { mode: 0o400 });
    chownSync(fresh, uid, gid);
    renameSync(fresh, file);
  }

  /** The text of a file; null when it is not there. */
  read(holder: Holder, path: string): string | null {
    const file = join(this.#root, holder, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : null;
  }

  remove(holder: Holder, path: string): void {
    rmSync(join(this.#root, holder, path), { force: true });
  }

  /** The contents of the JSON files in a holder's folder; none when it is not there. */
  readAll(holder: Holder, folder: string): Uint8Array[] {
    const path = join(this.#root, holder, folder);
    if (!existsSync(path)) return [];
    const files = readdirSync(path).filter(file => file.endsWith('.json'));
    return files.map(file => readFileSync(join(path, file)));
  }

  /** Gives a folder and all in it to an owner. */
  handOver(folder: string, { uid, gid }: Owner): void {
    const path = join(this.#root, folder);
    if (!existsSync(path)) return;
    chownSync(path, uid, gid);
    for (const each of readdirSync(path, { recursive: true, encoding: 'utf8' })) chownSync(join(path, each), uid, gid);
  }
}
