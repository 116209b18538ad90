import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

import { UnavailableError } from '../../../../protocol/errors.ts';
import type { PackageInstance, PackageSet } from '../../../../protocol/packages.ts';
import type { StorableArchive } from '../../store/packages.ts';
import { unpackArchive } from './received.ts';

/**
 * Packages that operators have sent, in a temporary folder, as the preflight loads them: each instance once, with links to those that it
 * finds. Disposing removes them.
 */
export class UnpackedPackages implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'hotcast-packages-'));
  #last: Promise<unknown> = Promise.resolve();

  /** The folder of an instance's package. */
  folderOf({ id, name }: Pick<PackageInstance, 'id' | 'name'>): string {
    return join(this.folder, id, 'node_modules', name);
  }

  /**
   * Unpacks what is not here yet, one package set after the other. When there is no room, all others make some.
   *
   * @throws DecodeError when an archive does not have its hash; UnavailableError when there is no room.
   */
  add({ instances }: PackageSet, archives: readonly StorableArchive[]): Promise<void> {
    const added = this.#last.then(() => this.#addOrMakeRoom(instances, archives));
    this.#last = added.catch(() => undefined);
    return added;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #addOrMakeRoom(instances: readonly PackageInstance[], archives: readonly StorableArchive[]): Promise<void> {
    try {
      await this.#addAll(instances, archives);
    } catch (error) {
      if (!isFull(error)) throw error;
      this.#clear();
      await this.#addAll(instances, archives).catch((again: unknown) => {
        if (!isFull(again)) throw again;
        this.#clear();
        throw new UnavailableError(
          `the controller has no room to unpack the packages (${tmpdir()}); nothing was sent`,
          {
            cause: again,
          },
        );
      });
    }
  }

  async #addAll(instances: readonly PackageInstance[], archives: readonly StorableArchive[]): Promise<void> {
    for (const instance of instances) {
      const target = join(this.folder, instance.id);
      if (existsSync(target)) continue;
      const packed = await archives.find(({ hash }) => hash === instance.archive)?.packed();
      if (packed === undefined) throw new TypeError('an instance has no archive');
      const { files } = unpackArchive(instance.archive, packed);
      const fresh = mkdtempSync(join(this.folder, 'new-'));
      const own = join(fresh, 'node_modules', instance.name);
      for (const [path, bytes] of files) {
        mkdirSync(dirname(join(own, path)), { recursive: true });
        writeFileSync(join(own, path), bytes);
      }
      this.#link(own, instance, instances);
      renameSync(fresh, target);
    }
  }

  /** Links to the packages that an instance finds. They may be unpacked later. */
  #link(own: string, instance: PackageInstance, instances: readonly PackageInstance[]): void {
    const final = this.folderOf(instance);
    for (const [name, index] of Object.entries(instance.dependencies)) {
      const other = instances[index];
      if (other === undefined) continue;
      const path = join('node_modules', name);
      mkdirSync(dirname(join(own, path)), { recursive: true });
      symlinkSync(relative(dirname(join(final, path)), this.folderOf(other)), join(own, path));
    }
  }

  #clear(): void {
    for (const each of readdirSync(this.folder)) rmSync(join(this.folder, each), { recursive: true, force: true });
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOSPC';
}
