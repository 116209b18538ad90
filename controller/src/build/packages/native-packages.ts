import { UsageError } from '../../../../protocol/errors.ts';

/** A package that another one finds. `isOptional`: the other one can do without it. */
export interface Dependency {
  readonly folder: string;
  readonly isOptional: boolean;
}

/** As much of an installed package as this file needs. */
export interface Needed {
  readonly installed: { readonly label: string; readonly files: { readonly native: string | null } };
  readonly dependencies: ReadonlyMap<string, Dependency>;
}

/** Why a package can't be used: itself, or a package that it needs, is native. */
export interface NativeReason {
  /** The folder of the native package. */
  readonly folder: string;
  /** The native package: `name version`. */
  readonly label: string;
  /** The file that tells it. */
  readonly file: string;
}

/** The packages that are native, or that can't do without one that is: by folder. */
export function nativesIn(packages: ReadonlyMap<string, Needed>): ReadonlyMap<string, NativeReason> {
  const natives = new Map<string, NativeReason>();
  for (const [folder, { installed }] of packages) {
    const { label, files } = installed;
    if (files.native !== null) natives.set(folder, { folder, label, file: files.native });
  }
  if (natives.size === 0) return natives;
  const needing = new Map<string, string[]>();
  for (const [folder, { dependencies }] of packages) {
    for (const { folder: target, isOptional } of dependencies.values()) {
      if (!isOptional) needing.set(target, [...(needing.get(target) ?? []), folder]);
    }
  }
  // The iteration of a map includes the entries that are added during it.
  for (const [folder, reason] of natives) {
    for (const other of needing.get(folder) ?? []) if (!natives.has(other)) natives.set(other, reason);
  }
  return natives;
}

/**
 * @param root the package that the module imports.
 * @param externals the names of the packages that are external now.
 */
export function refusalOf(
  module: string,
  root: Needed['installed'],
  { label, file }: NativeReason,
  externals: ReadonlySet<string>,
): UsageError {
  const what = root.label === label ? `imports ${label}` : `imports ${root.label}, which needs ${label}`;
  return new UsageError(
    `${module} ${what}: a native package (it has ${file}), which is not sent to nodes; nothing was sent: ` +
      makeExternal(label, externals),
  );
}

/**
 * What to write so that a package is installed in the nodes' image: two lines.
 *
 * @param label its name and version: `sharp 0.35.5`.
 */
export function makeExternal(label: string, externals: ReadonlySet<string>): string {
  const [name = '', version = ''] = label.split(' ');
  const names = [...new Set([...externals, name])].map(each => `'${each}'`).join(', ');
  return (
    `add external: [${names}] to hotcast.config.ts, and ${name}@${version} to NODE_PACKAGES in .env ` +
    "for the nodes' image"
  );
}
