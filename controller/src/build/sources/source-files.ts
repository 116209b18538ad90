import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Manifest } from '../../../../protocol/head.ts';
import { shortRevision } from '../../../../protocol/revision.ts';
import {
  isWrittenWithin,
  type Listing,
  listSources,
  readSource,
  realPathOf,
  type SourceFile,
  stampOf,
} from './source-file.ts';
import { SAVE_MS, SourceSnapshot } from './source-snapshot.ts';

/** How long files that are saved again and again are watched (milliseconds). */
const WATCH_MS = 100;

/** How often they are looked at, at least: a busy machine can take all of that time for one look. */
const MIN_LOOKS = 10;

const WATCH_INTERVAL_MS = 1;

interface Collected {
  /** When it was begun, by the clock of `performance`. */
  readonly at: number;
  readonly listing: Listing | null;
  readonly files: ReadonlyMap<string, SourceFile | null>;
  /** Whether all files are as they were last read. */
  readonly isKnown: boolean;
}

/** The files of a modules folder, as builds read them. A file that was not written since an earlier build is not read again. */
export class SourceFiles {
  readonly #folder: string;
  /** The folder of the project. Paths in results are relative to it. */
  readonly root: string;
  /** The files as they were last read, by real path. */
  readonly #known = new Map<string, SourceFile>();

  constructor(folder: string, root = dirname(folder)) {
    this.#folder = folder;
    this.root = root;
  }

  /**
   * Takes the files as they are at one moment: they are read twice, until both times agree. Files that are being saved are
   * waited for. If that does not end, they are taken as they stayed longest.
   *
   * @param isListed whether all files of the folder that can have types are taken, as a type check needs them, and the files
   *   elsewhere that earlier builds have read.
   * @param also the real paths of other files to take. A file that is not taken is read when it is first asked for.
   */
  async take(isListed: boolean, also: readonly string[] = []): Promise<SourceSnapshot> {
    let last = this.#collect(isListed, also);
    const startedAt = last.at;
    let best = { collected: last, ms: last.isKnown ? SAVE_MS : -1 };
    const isOver = (looks: number): boolean => looks >= MIN_LOOKS && last.at - startedAt >= WATCH_MS;
    for (let looks = 1, since = last.at; best.ms < SAVE_MS && !isOver(looks); looks += 1) {
      const next = this.#collect(isListed, also);
      if (!isSame(last, next)) since = next.at;
      else if (!isBeingSaved(next)) best = { collected: next, ms: SAVE_MS };
      else if (next.at - since > best.ms) best = { collected: next, ms: next.at - since };
      last = next;
      if (best.ms < SAVE_MS) await sleep(WATCH_INTERVAL_MS);
    }
    const { listing, files } = best.collected;
    const read = (path: string): SourceFile | null => this.#read(path);
    return new SourceSnapshot(this.#folder, this.root, { listing, files, isWhole: best.ms >= 0, read });
  }

  /**
   * The sources that are not as they were: they have another content, or are gone.
   *
   * @param sources as a manifest has them.
   */
  changedAmong(sources: Manifest['sources']): string[] {
    return Object.entries(sources).flatMap(([path, hash]) => {
      const file = this.#read(realPathOf(join(this.root, path)));
      return file !== null && shortRevision(file.hash) === hash ? [] : [path];
    });
  }

  #collect(isListed: boolean, also: readonly string[]): Collected {
    const at = performance.now();
    const listing = isListed ? listSources(this.#folder) : null;
    const listed = listing === null ? [] : [...listing.files.values(), ...this.#known.keys()];
    const files = new Map<string, SourceFile | null>();
    let isKnown = true;
    for (const path of new Set([...listed, ...also])) {
      const before = this.#known.get(path) ?? null;
      const file = this.#read(path);
      files.set(path, file);
      isKnown &&= file === before;
    }
    return { at, listing, files, isKnown };
  }

  /** Reads a file, unless it is as it was last read. */
  #read(path: string): SourceFile | null {
    const known = this.#known.get(path);
    if (known?.isStable === true && known.stamp === stampOf(path)) return known;
    const file = readSource(path);
    if (file === null) this.#known.delete(path);
    else this.#known.set(path, file);
    return file;
  }
}

function isBeingSaved({ files }: Collected): boolean {
  return [...files.values()].some(file => isWrittenWithin(SAVE_MS, file));
}

function isSame({ files: one }: Collected, { files: other }: Collected): boolean {
  return one.size === other.size && [...one].every(([path, file]) => file?.hash === other.get(path)?.hash);
}
