import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path/posix';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';

import { UnavailableError, UsageError } from '../../../../protocol/errors.ts';
import { ARCHIVE_CHUNK_BYTES, MAX_ARCHIVE_BYTES } from '../../../../protocol/limits.ts';
import { archiveParts } from '../../../../protocol/packages.ts';
import { collectGarbage } from '../../../../shared/collect-garbage.ts';
import type { StorableArchive } from '../../store/packages.ts';
import { convert, type FileKind, isEsSyntax, relativeImportsIn } from './convert.ts';
import { entryPaths } from './entry-paths.ts';
import { MemoryBudget } from './memory-budget.ts';
import type { PackageFiles } from './package-files.ts';
import { type PackageJson, parsePackageJson } from './package-json.ts';

/** As fast as it gets with most of the effect. */
const GZIP_OPTIONS = { level: 6 } as const;

/** How many files are read at once. */
const PARALLEL_READS = 32;

/** The files of packages that are packed at once, by their size: they and what is made of them are in memory. */
const packing = new MemoryBudget(32 * 2 ** 20);

/** The files that esbuild converts at once, by their size. It takes ten times as much for a file. */
const converting = new MemoryBudget(2 * 2 ** 20);

/** After so many bytes of files were packed, their garbage is collected: V8 would let it grow. */
const GARBAGE_BYTES = 64 * 2 ** 20;

/** The packed archives that are kept until they are stored. Others are packed again then. */
const keeping = new MemoryBudget(32 * 2 ** 20);

/** How many bytes of files were packed since garbage was collected. */
let garbage = 0;

/**
 * Makes the archive of a package: its files, and those converted that a node does not run as they are.
 *
 * @param folder its real folder.
 * @param label the package with its version, for errors.
 * @throws UsageError when it is too large; UnavailableError when esbuild's process ends meanwhile.
 */
export async function makeArchive(folder: string, files: PackageFiles, label: string): Promise<StorableArchive> {
  const { hash, packed: first } = await pack(folder, files, label);
  const { length } = first;
  let kept = keeping.take(length) ? first : null;
  return {
    hash,
    packedBytes: length,
    chunks: Math.max(1, Math.ceil(length / ARCHIVE_CHUNK_BYTES)),
    packed: async () => {
      if (kept !== null) return kept;
      const again = await pack(folder, files, label);
      if (again.hash !== hash || again.packed.length !== length) {
        throw new UnavailableError(`${label} has changed meanwhile; nothing was sent (push again)`);
      }
      return again.packed;
    },
    release: () => {
      if (kept !== null) keeping.give(length);
      kept = null;
    },
  };
}

async function pack(
  folder: string,
  { paths, bytes }: PackageFiles,
  label: string,
): Promise<{ readonly hash: string; readonly packed: Uint8Array }> {
  if (bytes > MAX_ARCHIVE_BYTES) throw tooLarge(label);
  return packing.use(bytes, async () => {
    const files = new Map<string, Uint8Array>();
    for (let at = 0; at < paths.length; at += PARALLEL_READS) {
      const batch = paths.slice(at, at + PARALLEL_READS);
      const contents = await Promise.all(batch.map(path => readFile(join(folder, path))));
      for (const [index, content] of contents.entries()) files.set(batch[index] ?? '', content);
    }
    const parts = archiveParts({ files, converted: await convertFiles(files, label) });
    if (parts.reduce((sum, { length }) => sum + length, 0) > MAX_ARCHIVE_BYTES) throw tooLarge(label);
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    const packed: Uint8Array = await buffer(Readable.from(parts, { objectMode: false }).pipe(createGzip(GZIP_OPTIONS)));
    garbage += bytes;
    if (garbage > GARBAGE_BYTES) {
      garbage = 0;
      setImmediate(() => collectGarbage());
    }
    return { hash: hash.digest('hex'), packed };
  });
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
    const text = await converting.use(files.get(path)?.length ?? 0, () =>
      convert(`${label}/${path}`, textOf(files, path) ?? '', kindOf(path)),
    );
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
