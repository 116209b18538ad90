import type { PackageSource } from '../../../../node-image/src/packages/fetch-packages.ts';
import type { Bundle } from '../../../../protocol/bundle.ts';
import {
  type Archive,
  archiveHashOf,
  encodeArchive,
  encodePackageSet,
  ES_MODULE_HEADER,
  type PackageSet,
  packageSetHashOf,
} from '../../../../protocol/packages.ts';
import { revisionOf } from '../../../../protocol/revision.ts';
import { bundleOf } from '../../fixtures.ts';

/** A package as it is installed. Its package.json gets name and version. */
export interface FixturePackage {
  readonly version?: string;
  readonly manifest?: object;
  readonly files: Readonly<Record<string, string>>;
  /** The CommonJS text of ES modules. */
  readonly converted?: Readonly<Record<string, string>>;
  readonly dependencies?: readonly string[];
}

/** Packages by their names. Without `roots`, a module finds all of them. */
export type Installed = Readonly<Record<string, FixturePackage>>;

/** The converted text of an ES module that exports values, as esbuild writes it. */
export function esModule(exported: Readonly<Record<string, string>>, body = ''): string {
  const getters = Object.entries(exported).map(
    ([name, value]) => `${JSON.stringify(name)}: { get: () => ${value}, enumerable: true }`,
  );
  return `${ES_MODULE_HEADER}
module.exports = Object.defineProperties({}, { __esModule: { value: true }, ${getters.join(', ')} });
${body}`;
}

/** The stream's records of packages. */
export class FixtureStream implements PackageSource {
  readonly sets = new Map<string, Uint8Array>();
  readonly archives = new Map<string, Archive>();
  readonly reads: string[] = [];

  /** Adds a set; returns its hash. */
  add(
    installed: Installed,
    roots: readonly string[] = Object.keys(installed),
    externals?: Readonly<Record<string, string>>,
  ): string {
    const names = Object.keys(installed);
    const archives = names.map(name => archiveOf(name, installed[name] ?? { files: {} }));
    const hashes = archives.map(archive => archiveHashOf(encodeArchive(archive)));
    archives.forEach((archive, index) => this.archives.set(hashes[index] ?? '', archive));
    const indices = (of: readonly string[]) => Object.fromEntries(of.map(name => [name, names.indexOf(name)]));
    const set: PackageSet = {
      roots: indices(roots),
      instances: names.map((name, index) => ({
        id: instanceId(name, installed, hashes),
        name,
        version: installed[name]?.version ?? '1.0.0',
        archive: hashes[index] ?? '',
        packedBytes: 1,
        chunks: 1,
        dependencies: indices(installed[name]?.dependencies ?? []),
      })),
      ...(externals === undefined ? {} : { externals }),
    };
    const bytes = encodePackageSet(set);
    const hash = packageSetHashOf(bytes);
    this.sets.set(hash, bytes);
    return hash;
  }

  readonly packageSet = async (hash: string): Promise<Uint8Array | null> => {
    this.reads.push('set');
    return this.sets.get(hash) ?? null;
  };

  readonly archive: PackageSource['archive'] = async ({ name, archive }) => {
    this.reads.push(name);
    return this.archives.get(archive) ?? null;
  };
}

/** Covers all that a package reaches. */
function instanceId(name: string, installed: Installed, hashes: readonly string[]): string {
  const names = Object.keys(installed);
  const reached = new Set([name]);
  for (const each of reached) for (const dependency of installed[each]?.dependencies ?? []) reached.add(dependency);
  return revisionOf([...reached].map(each => `${each} ${hashes[names.indexOf(each)]}`).join('\n'));
}

function archiveOf(name: string, { version = '1.0.0', manifest = {}, files, converted = {} }: FixturePackage): Archive {
  const texts = { 'package.json': JSON.stringify({ name, version, ...manifest }), ...files };
  const bytes = (all: Readonly<Record<string, string>>) =>
    new Map(Object.entries(all).map(([path, text]) => [path, Buffer.from(text)]));
  return { files: bytes(texts), converted: bytes(converted) };
}

/** A bundle that uses a package set. */
export function bundleWith(packages: string, code = '', module = 'demo'): Bundle {
  return { ...bundleOf(module, code), revision: revisionOf(code, undefined, packages), packages };
}
