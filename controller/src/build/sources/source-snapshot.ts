import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  hasTypes,
  isInPackage,
  isUnchanged,
  isWrittenWithin,
  type Listing,
  realPathOf,
  type SourceFile,
  stampOf,
} from './source-file.ts';

interface Taken {
  /** Files by real path; null for one that is missing, unreadable or no regular file. */
  readonly files: ReadonlyMap<string, SourceFile | null>;
  readonly listing: Listing | null;
  /** Whether all these files were so at one moment. */
  readonly isWhole: boolean;
  /** Reads a file that was not taken. */
  readonly read: (path: string) => SourceFile | null;
}

/** What stays so long is not being saved (milliseconds). */
export const SAVE_MS = 10;

/** Files that belong together are saved with shorter pauses (milliseconds). */
const PAUSE_MS = 100;

const utf8 = new TextDecoder();

/**
 * The sources of one build, each read once: compiler, type checker and source map have the same contents, also when files are
 * saved meanwhile. A file that was not taken is read when it is first asked for.
 */
export class SourceSnapshot {
  readonly #listing: Listing | null;
  readonly #files: Map<string, SourceFile | null>;
  readonly #folders: Map<string, string | null>;
  readonly #realPaths: Map<string, string>;
  readonly #read: Taken['read'];
  #isWhole: boolean;
  /** The folder of the project. Paths in results are relative to it. */
  readonly root: string;

  /** @param folder the modules folder. */
  constructor(folder: string, root: string, { files, listing, isWhole, read }: Taken) {
    this.root = root;
    this.#listing = listing;
    this.#files = new Map(files);
    this.#folders = new Map(listing?.folders ?? [[folder, stampOf(folder)]]);
    this.#realPaths = new Map(listing?.files);
    this.#isWhole = isWhole;
    this.#read = read;
  }

  /** The paths of the folder's files that can have types. */
  get paths(): string[] {
    return [...(this.#listing?.files.keys() ?? [])];
  }

  /** The real paths of all files that were taken or asked for. */
  get known(): string[] {
    return [...this.#files.keys()];
  }

  /** The bytes of a file; null for one that is missing, unreadable or no regular file. */
  bytes(path: string): Buffer | null {
    return this.#file(path)?.bytes ?? null;
  }

  /** The text of a file, without a byte order mark; null as for its bytes. */
  text(path: string): string | null {
    const bytes = this.bytes(path);
    return bytes === null ? null : utf8.decode(bytes);
  }

  /** The SHA-256 of a file, hex; null as for its bytes. */
  hash(path: string): string | null {
    return this.#file(path)?.hash ?? null;
  }

  /**
   * Whether files that were taken or asked for have been written since, or just before, or files have come or gone: an error
   * that is found in them need not be one.
   */
  isOutdated(): boolean {
    return [...this.#files.values()].some(file => isWrittenWithin(PAUSE_MS, file)) || !this.#isAsRead();
  }

  /**
   * Whether all these files were so at one moment. Those that were read one after the other have to stay until none of them is being
   * saved.
   */
  async isConsistent(): Promise<boolean> {
    if (this.#isWhole) return true;
    const writtenAt = [...this.#files.values()].reduce((last, file) => Math.max(last, file?.writtenAt ?? 0), 0);
    const left = writtenAt + SAVE_MS - Date.now();
    if (left > 0 && left <= SAVE_MS) await sleep(left);
    return this.#isAsRead();
  }

  #isAsRead(): boolean {
    return (
      [...this.#folders].every(([path, stamp]) => stampOf(path) === stamp) &&
      [...this.#files].every(([path, file]) => isUnchanged(path, file))
    );
  }

  #file(path: string): SourceFile | null {
    const real = this.#realPaths.get(path) ?? realPathOf(path);
    this.#realPaths.set(path, real);
    let file = this.#files.get(real);
    if (file !== undefined) return file;
    const folder = dirname(real);
    if (!this.#folders.has(folder)) this.#folders.set(folder, stampOf(folder));
    file = this.#isListed(folder, real) ? null : this.#read(real);
    if (file !== null) this.#isWhole = false;
    this.#files.set(real, file);
    return file;
  }

  /** Whether the listing says whether there is such a file. */
  #isListed(folder: string, path: string): boolean {
    return this.#listing?.folders.has(folder) === true && hasTypes(path) && !isInPackage(path);
  }
}
