import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path/posix';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import { UnavailableError, UsageError } from '../../../../protocol/errors.ts';
import { ARCHIVE_CHUNK_BYTES, MAX_ARCHIVE_BYTES } from '../../../../protocol/limits.ts';
import { archiveHashOf, encodeArchive } from '../../../../protocol/packages.ts';
import { convert, type FileKind, isEsSyntax, relativeImportsIn } from './convert.ts';
import { entryPaths } from './entry-paths.ts';
import { type PackageJson, parsePackageJson } from './package-json.ts';

/** As fast as it gets with most of the effect. */
const GZIP_OPTIONS = { level: 6 } as const;

/** How many files are read at once. */
const PARALLEL_READS = 32;

/** An archive of a package, packed. */
export interface PackedArchive {
  readonly hash: string;
  readonly packedBytes: number;
  readonly chunks: number;
  /** Its bytes, packed. They are made again if they were released. @throws UnavailableError when the package has changed */
  readonly packed: () => Promise<Uint8Array>;
  /** Lets go of the bytes: the stream has them. */
  readonly release: () => void;
}

/**
 * Makes the archive of a package: its files, and those converted that a node does not run as they are.
 *
 * @param folder its real folder.
 * @param paths the files that travel.
 * @param label the package with its version, for errors.
 * @throws UsageError when it is too large; UnavailableError when esbuild's process ends meanwhile.
 */
export async function makeArchive(folder: string, paths: readonly string[], label: string): Promise<PackedArchive> {
  const { hash, packed: first } = await pack(folder, paths, label);
  let packed: Uint8Array | null = first;
  return {
    hash,
    packedBytes: first.length,
    chunks: Math.max(1, Math.ceil(first.length / ARCHIVE_CHUNK_BYTES)),
    packed: async () => {
      if (packed !== null) return packed;
      const again = await pack(folder, paths, label);
      if (again.hash !== hash || again.packed.length !== first.length) {
        throw new UnavailableError(`${label} has changed meanwhile; nothing was sent (push again)`);
      }
      packed = again.packed;
      return packed;
    },
    release: () => (packed = null),
  };
}

async function pack(
  folder: string,
  paths: readonly string[],
  label: string,
): Promise<{ readonly hash: string; readonly packed: Uint8Array }> {
  const files = new Map<string, Uint8Array>();
  let bytes = 0;
  for (let at = 0; at < paths.length; at += PARALLEL_READS) {
    const batch = paths.slice(at, at + PARALLEL_READS);
    const contents = await Promise.all(batch.map(path => readFile(join(folder, path))));
    for (const [index, content] of contents.entries()) {
      bytes += content.length;
      if (bytes > MAX_ARCHIVE_BYTES) throw tooLarge(label);
      files.set(batch[index] ?? '', content);
    }
  }
  const encoded = encodeArchive({ files, converted: await convertFiles(files, label) });
  if (encoded.length > MAX_ARCHIVE_BYTES) throw tooLarge(label);
  return { hash: archiveHashOf(encoded), packed: await promisify(gzip)(encoded, GZIP_OPTIONS) };
}

function tooLarge(label: string): UsageError {
  return new UsageError(
    `${label} is larger than ${MAX_ARCHIVE_BYTES / 2 ** 20} MiB, the limit of a package; nothing was sent`,
  );
}

/** The files of a package that a node does not run as they are, converted. */
export async function convertFiles(
  files: ReadonlyMap<string, Uint8Array>,
  label: string,
): Promise<Map<string, Uint8Array>> {
  const converted = new Map<string, Uint8Array>();
  const jsonOf = (path: string): PackageJson => parsePackageJson(textOf(files, path));
  const kindOf = kindsIn(files, jsonOf);
  const add = async (path: string): Promise<string | null> => {
    const text = await convert(`${label}/${path}`, textOf(files, path) ?? '', kindOf(path));
    if (text !== null) converted.set(path, Buffer.from(text));
    return text;
  };
  const scripts = [...files.keys()].filter(path => /\.[mc]?js$/.test(path) || !/\.[^/]*$/.test(path));
  // Without a type, ES modules are those that Node.js would reach: files for bundlers look the same, and can be many.
  const isLeft = (path: string): boolean => kindOf(path) === 'unknown' && isEsSyntax(textOf(files, path) ?? '');
  await Promise.all(scripts.filter(path => !isLeft(path)).map(add));
  const reached = new Set(entryPaths(jsonOf('package.json'), [...files.keys()]).filter(isLeft));
  // The iteration of a set includes the elements that are added during it.
  for (const path of reached) {
    for (const imported of relativeImportsIn((await add(path)) ?? '')) {
      const target = join(dirname(path), imported);
      if (files.has(target) && isLeft(target)) reached.add(target);
    }
  }
  return converted;
}

function textOf(files: ReadonlyMap<string, Uint8Array>, path: string): string | null {
  const bytes = files.get(path);
  return bytes === undefined ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

/** How Node.js loads each file: by its ending, or by the type in the nearest package.json. */
function kindsIn(
  files: ReadonlyMap<string, Uint8Array>,
  jsonOf: (path: string) => PackageJson,
): (path: string) => FileKind {
  const types = new Map<string, FileKind>();
  const typeOf = (folder: string): FileKind => {
    const known = types.get(folder);
    if (known !== undefined) return known;
    const path = join(folder, 'package.json');
    const type = files.has(path) ? kindOfType(jsonOf(path).type) : folder === '.' ? 'unknown' : typeOf(dirname(folder));
    types.set(folder, type);
    return type;
  };
  return path => {
    if (path.endsWith('.mjs')) return 'module';
    return path.endsWith('.js') ? typeOf(dirname(path)) : 'commonjs';
  };
}

function kindOfType(type: unknown): FileKind {
  return type === 'module' || type === 'commonjs' ? type : 'unknown';
}
