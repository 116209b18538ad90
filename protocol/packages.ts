import { hash } from 'node:crypto';
import * as v from 'valibot';

import { decode, decodeRecord, encode, encodeRecord } from './codec.ts';
import { DecodeError } from './errors.ts';
import { joinFrames, firstFrame } from './bytes/framing.ts';
import { count, revision } from './schemas.ts';

/** SHA-256, 64 hex digits. */
const digest = revision;

/** As the name of a folder it stays inside the one that it is in. */
export const packageName = v.pipe(
  v.string(),
  v.regex(/^(?:@(?!\.\.?\/)[\w.~-]+\/)?(?!\.\.?$)[\w.~-]+$/, 'not the name of a package'),
);

const instanceSchema = v.object({
  /** Covers the package's files and those of all packages that it reaches: two instances are the same if this is the same. */
  id: digest,
  /** The package's name and version, as in its package.json. */
  name: packageName,
  version: v.string(),
  /** The hash of its archive, see {@link archiveHashOf}. */
  archive: digest,
  /** The length of the packed archive in bytes, and in how many records it is stored. */
  packedBytes: count,
  chunks: v.pipe(count, v.minValue(1)),
  /** The instances that it finds in `node_modules`, by the names of their folders; as indices of {@link PackageSet.instances}. */
  dependencies: v.record(packageName, count),
});

const packageSetSchema = v.object({
  /** What the module itself finds in `node_modules`. */
  roots: v.record(packageName, count),
  instances: v.array(instanceSchema),
  /** The packages that are not sent, because the nodes' image has them, with the versions that it has to have; none if left out. */
  externals: v.exactOptional(v.record(packageName, v.string())),
});

/** A package with everything that it reaches, as a node runs it: once, however many modules and revisions use it. */
export type PackageInstance = v.InferOutput<typeof instanceSchema>;

/**
 * The packages of one revision of a module: what a lock file is for a folder. It is written once, under its hash
 * ({@link packageSetHashOf}), which the bundle names and the revision covers.
 */
export type PackageSet = v.InferOutput<typeof packageSetSchema>;

export function encodePackageSet(set: PackageSet): Uint8Array {
  return encodeRecord(set);
}

/** @throws FormatError, and DecodeError when it has another hash, or an index without an instance. */
export function decodePackageSet(bytes: Uint8Array, expectedHash: string): PackageSet {
  if (packageSetHashOf(bytes) !== expectedHash) throw new DecodeError('the package set has another hash');
  const set = decodeRecord(packageSetSchema, bytes);
  const indices = [set.roots, ...set.instances.map(({ dependencies }) => dependencies)].flatMap(Object.values<number>);
  if (indices.some(index => index >= set.instances.length)) {
    throw new DecodeError('the package set names an instance that it does not have');
  }
  return set;
}

/** The hash of an encoded package set. */
export function packageSetHashOf(bytes: Uint8Array): string {
  return hash('sha256', bytes);
}

/**
 * The start of the converted text of an ES module. That of CommonJS, which is converted for its `import()`, begins otherwise: to
 * those who import it, it is CommonJS.
 */
export const ES_MODULE_HEADER = '"use strict"; // ES module';

/** The files of a package. Paths are relative and have `/`. */
export interface Archive {
  /** The files as they are installed. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** ES modules among them, converted to CommonJS: a node runs these in place of the files. */
  readonly converted: ReadonlyMap<string, Uint8Array>;
}

/** A path of a file in an archive: it stays inside its folder. */
export const filePath = v.pipe(
  v.string(),
  v.check(path => path.split('/').every(part => part !== '' && part !== '.' && part !== '..'), 'not a path inside'),
  v.check(path => !/[\\\0]/.test(path), 'not a path inside'),
);
const fileList = v.array(v.object({ path: filePath, bytes: count }));
const archiveLabelSchema = v.object({ files: fileList, converted: fileList });

/** Encodes an archive, not compressed. The same files have the same bytes. */
export function encodeArchive(archive: Archive): Uint8Array {
  return Buffer.concat(archiveParts(archive));
}

/** The parts of an encoded archive, without a copy of its files. */
export function archiveParts({ files, converted }: Archive): readonly Uint8Array[] {
  const sorted = (all: ReadonlyMap<string, Uint8Array>) => [...all].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const [first, second] = [sorted(files), sorted(converted)];
  const list = (all: typeof first) => all.map(([path, content]) => ({ path, bytes: content.length }));
  const label = encode({ files: list(first), converted: list(second) });
  return [joinFrames([label]), ...[...first, ...second].map(([, content]) => content)];
}

/** @throws DecodeError when the bytes are no archive. */
export function decodeArchive(bytes: Uint8Array): Archive {
  const [labelled, contents] = firstFrame(bytes) ?? [];
  if (labelled === undefined || contents === undefined) throw new DecodeError('the archive is cut off');
  const label = decode(archiveLabelSchema, labelled);
  let at = 0;
  const take = ({ path, bytes: length }: (typeof label.files)[number]): [string, Uint8Array] => {
    at += length;
    return [path, contents.subarray(at - length, at)];
  };
  const archive = { files: new Map(label.files.map(take)), converted: new Map(label.converted.map(take)) };
  if (at !== contents.length) throw new DecodeError('the archive is cut off');
  return archive;
}

/** The hash of an encoded archive. */
export function archiveHashOf(bytes: Uint8Array): string {
  return hash('sha256', bytes);
}
