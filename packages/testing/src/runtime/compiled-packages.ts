import { gunzipSync } from 'node:zlib';

import type { StorableArchive, StorablePackages } from '../../../../controller/src/store/packages.ts';
import type { PackageSource } from '../../../../node-image/src/packages/fetch-packages.ts';
import { decodeArchive } from '../../../../protocol/packages.ts';

/** The packages that were compiled, in place of the cluster's stream. */
export class CompiledPackages implements PackageSource {
  readonly #sets = new Map<string, Uint8Array>();
  readonly #archives = new Map<string, StorableArchive>();

  add({ hash, set, archives }: StorablePackages): void {
    this.#sets.set(hash, set);
    for (const archive of archives) this.#archives.set(archive.hash, archive);
  }

  readonly packageSet: PackageSource['packageSet'] = async hash => this.#sets.get(hash) ?? null;

  readonly archive: PackageSource['archive'] = async ({ archive }) => {
    const found = this.#archives.get(archive);
    return found === undefined ? null : decodeArchive(gunzipSync(await found.packed()));
  };
}
