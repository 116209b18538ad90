import * as v from 'valibot';

const names = v.fallback(v.record(v.string(), v.unknown()), {});
const packageJsonSchema = v.fallback(
  v.object({
    name: v.fallback(v.optional(v.string()), undefined),
    version: v.fallback(v.string(), ''),
    type: v.optional(v.unknown()),
    main: v.optional(v.unknown()),
    exports: v.optional(v.unknown()),
    dependencies: names,
    optionalDependencies: names,
    peerDependencies: names,
    peerDependenciesMeta: v.fallback(
      v.record(v.string(), v.fallback(v.object({ optional: v.fallback(v.boolean(), false) }), { optional: false })),
      {},
    ),
  }),
  { version: '', dependencies: {}, optionalDependencies: {}, peerDependencies: {}, peerDependenciesMeta: {} },
);

/** The fields of a package.json that matter here. What has another type than it should counts as left out. */
export type PackageJson = v.InferOutput<typeof packageJsonSchema>;

export function parsePackageJson(text: string | null): PackageJson {
  return v.parse(packageJsonSchema, parsed(text));
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? {} : JSON.parse(text);
  } catch {
    return {};
  }
}

/** The packages that a package looks for, by name; `true` for one that it can do without. */
export function dependenciesOf(json: PackageJson): ReadonlyMap<string, boolean> {
  const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = json;
  const isOptionalPeer = (name: string): boolean => peerDependenciesMeta[name]?.optional === true;
  const found = new Map(Object.keys(peerDependenciesMeta).map(name => [name, true]));
  for (const name of Object.keys(peerDependencies)) found.set(name, isOptionalPeer(name));
  for (const name of Object.keys(dependencies)) found.set(name, false);
  // npm writes an optional dependency into both lists.
  for (const name of Object.keys(optionalDependencies)) found.set(name, true);
  return found;
}
