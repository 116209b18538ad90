import { hash } from 'node:crypto';

import {
  encodePackageSet,
  type PackageInstance,
  type PackageSet,
  packageSetHashOf,
} from '../../../../protocol/packages.ts';
import { loadOrder } from '../../../../shared/load-order.ts';

/** A package with what it finds in `node_modules`. `T` is what packages are told apart by. */
export interface LinkedPackage<T> {
  readonly name: string;
  readonly version: string;
  readonly archive: Pick<PackageInstance, 'packedBytes' | 'chunks'> & { readonly hash: string };
  readonly dependencies: ReadonlyMap<string, T>;
  /** The external packages that it finds, with their versions. */
  readonly externals: Externals;
}

/** External packages by their names, with their versions. */
export type Externals = ReadonlyMap<string, string>;

/**
 * Makes the package set of a module.
 *
 * @param roots what the module finds in `node_modules`.
 * @param packages all that the roots reach.
 * @param externals all external packages: those of the module and of its packages.
 */
export function packageSetOf<T>(
  roots: ReadonlyMap<string, T>,
  packages: ReadonlyMap<T, LinkedPackage<T>>,
  externals: Externals = new Map(),
): { readonly set: PackageSet; readonly bytes: Uint8Array; readonly hash: string } {
  const ids = instanceIds(packages);
  const instances: PackageInstance[] = [];
  const indices = new Map<string, number>();
  const add = (key: T): number => {
    const id = ids.get(key) ?? '';
    // The same package with the same dependencies can be installed in several places.
    const known = indices.get(id);
    if (known !== undefined) return known;
    const { name, version, archive, dependencies } = get(packages, key);
    const index = instances.length;
    indices.set(id, index);
    const { hash: archiveHash, packedBytes, chunks } = archive;
    const links: Record<string, number> = {};
    instances.push({ id, name, version, archive: archiveHash, packedBytes, chunks, dependencies: links });
    for (const [dependency, target] of sorted(dependencies)) links[dependency] = add(target);
    return index;
  };
  const set: PackageSet = {
    roots: Object.fromEntries(sorted(roots).map(([root, key]) => [root, add(key)])),
    instances,
    ...(externals.size === 0 ? {} : { externals: Object.fromEntries(sorted(externals)) }),
  };
  const bytes = encodePackageSet(set);
  return { set, bytes, hash: packageSetHashOf(bytes) };
}

/**
 * The ids of instances. Each covers the package and what it reaches: it is the SHA-256 of a text with a line for the package,
 * which names its dependencies by their ids, and external ones by their versions. Packages that depend on each other in a circle
 * have no ids before their own: the text has a line for each of them, in the order of a depth-first walk, and they are named by the
 * numbers of their lines.
 */
export function instanceIds<T>(packages: ReadonlyMap<T, LinkedPackage<T>>): ReadonlyMap<T, string> {
  const ids = new Map<T, string>();
  // By numbers: the order wants texts.
  const keys = [...packages.keys()];
  const numbers = new Map(keys.map((key, index) => [key, String(index)]));
  const order = loadOrder(keys, key => ({
    modules: [numbers.get(key) ?? ''],
    imports: [...get(packages, key).dependencies.values()].map(each => numbers.get(each) ?? ''),
  }));
  for (const circle of order) {
    const found = circle.map((key): [T, string] => [key, hash('sha256', textOf(key, packages, ids))]);
    for (const [key, id] of found) ids.set(key, id);
  }
  return ids;
}

function textOf<T>(from: T, packages: ReadonlyMap<T, LinkedPackage<T>>, ids: ReadonlyMap<T, string>): string {
  const lines = new Map<T, string>();
  const visit = (key: T): string => {
    const index = String(lines.size);
    lines.set(key, '');
    const { name, version, archive, dependencies, externals } = get(packages, key);
    const links = sorted(dependencies).map(([dependency, target]) => {
      const reference = ids.get(target) ?? numberOf(target, lines) ?? visit(target);
      return `${dependency}=${reference}`;
    });
    const outside = sorted(externals).map(([external, found]) => `${external}=external:${found}`);
    lines.set(key, [index, name, version, archive.hash, ...links, ...outside].join(' '));
    return index;
  };
  visit(from);
  return [...lines.values()].join('\n');
}

function numberOf<T>(key: T, lines: ReadonlyMap<T, string>): string | null {
  const index = [...lines.keys()].indexOf(key);
  return index === -1 ? null : String(index);
}

function sorted<Value>(named: ReadonlyMap<string, Value>): [string, Value][] {
  return [...named].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function get<T>(packages: ReadonlyMap<T, LinkedPackage<T>>, key: T): LinkedPackage<T> {
  const found = packages.get(key);
  if (found === undefined) throw new TypeError('a package is named that was not found');
  return found;
}
