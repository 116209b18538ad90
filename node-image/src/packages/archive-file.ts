import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';

import { encode } from '../../../protocol/codec.ts';
import { joinFrames } from '../../../protocol/bytes/framing.ts';
import type { Archive } from '../../../protocol/packages.ts';

/** Where a file is in an archive file: its first byte, and how many it has. */
type Span = readonly [start: number, bytes: number];

/** The start of an archive file: paths and lengths, in the order of the contents. */
interface Index {
  readonly files: readonly (readonly [path: string, bytes: number])[];
  readonly converted: Index['files'];
  readonly usesPlace: boolean;
}

/** How many bytes say how long the index is. */
const LENGTH_BYTES = 4;

/** The variables that tell a script where it is. `import.meta` is `__hotcast_meta` in the text that runs. */
const PLACE = /__dirname|__filename|__hotcast_meta|\bmodule\.(?:filename|paths?|id)\b/;

/** A file ends before what its index names. */
class CutOffError extends Error {}

/**
 * The files of a package in one file of the node. To write each of them takes ten times as long, and most packages do not look
 * for their files on disk.
 */
export class ArchiveFile {
  readonly hash: string;
  /** By their paths, which are relative and have `/`. */
  readonly files: ReadonlyMap<string, Span>;
  /** The texts that run in place of files. */
  readonly converted: ReadonlyMap<string, Span>;
  /** Whether a script of the package can tell where its files are. */
  readonly usesPlace: boolean;
  readonly #path: string;

  private constructor(path: string, hash: string, { files, converted, usesPlace }: Index, start: number) {
    this.#path = path;
    this.hash = hash;
    this.usesPlace = usesPlace;
    let at = start;
    const spans = (all: Index['files']) =>
      new Map(all.map(([name, bytes]): [string, Span] => [name, [(at += bytes) - bytes, bytes]]));
    this.files = spans(files);
    this.converted = spans(converted);
  }

  /** Null when there is no such file. @throws Error of the file system */
  static open(path: string, hash: string): ArchiveFile | null {
    return withFile(path, file => {
      const length = readSpan(file, [0, LENGTH_BYTES]).readUInt32BE(0);
      const index = JSON.parse(readSpan(file, [LENGTH_BYTES, length]).toString()) as Index;
      return new ArchiveFile(path, hash, index, LENGTH_BYTES + length);
    });
  }

  /** Whether there is such a file, and all of it: after a power cut, a file can be cut off under its final name. */
  static isWhole(path: string): boolean {
    try {
      const archive = ArchiveFile.open(path, '');
      const ends = archive === null ? [] : [...archive.files.values(), ...archive.converted.values()];
      return archive !== null && statSync(path).size >= Math.max(0, ...ends.map(([start, bytes]) => start + bytes));
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof CutOffError) return false;
      throw error;
    }
  }

  /** Writes one. @throws Error of the file system */
  static async write(path: string, { files, converted }: Archive): Promise<void> {
    const lengths = (all: Archive['files']) => [...all].map(([name, { length }]) => [name, length] as const);
    const usesPlace = [...files].some(
      ([name, bytes]) => isScript(name) && PLACE.test(textOf(converted.get(name) ?? bytes)),
    );
    const index = encode({ files: lengths(files), converted: lengths(converted), usesPlace } satisfies Index);
    await writeFile(path, Buffer.concat([joinFrames([index]), ...files.values(), ...converted.values()]));
  }

  /** The bytes of one of its files. @throws Error of the file system */
  read(span: Span): Buffer {
    const bytes = withFile(this.#path, file => readSpan(file, span));
    if (bytes === null) throw new Error(`${this.#path} was removed`);
    return bytes;
  }

  /** All its files, without the converted texts. @throws Error of the file system */
  *contents(): Generator<readonly [path: string, bytes: Buffer]> {
    const spans = [...this.files];
    const [first = 0] = spans[0]?.[1] ?? [];
    const all = this.read([first, spans.reduce((sum, [, [, bytes]]) => sum + bytes, 0)]);
    for (const [path, [start, bytes]] of spans) yield [path, all.subarray(start - first, start - first + bytes)];
  }
}

function isScript(name: string): boolean {
  return /\.[mc]?js$/.test(name) || !/\.[^/]*$/.test(name);
}

function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

/** Null when there is no such file. */
function withFile<T>(path: string, use: (file: number) => T): T | null {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}

function readSpan(file: number, [start, length]: Span): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length;) {
    const read = readSync(file, bytes, at, length - at, start + at);
    if (read === 0) throw new CutOffError('the file of a package is cut off');
    at += read;
  }
  return bytes;
}
