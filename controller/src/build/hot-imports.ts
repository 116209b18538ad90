/** A namespace as esbuild writes it: a copy with the names of the moment. The node's own object is live. */
const NAMESPACE = /__toESM\((require\("hot:[^"]*"\))(?:, 1)?\)/g;

/** `export * from …` as esbuild writes it: names are copied from another module of the program, or from a `hot:` import. */
const STAR = /__reExport\(([\w$]+), (?:require\("hot:([^"]+)"\)|([\w$]+))/g;
const ENTRY = /^module\.exports = __toCommonJS\(([\w$]+)\);$/m;

/**
 * The modules that a compiled module, or another file in it, re-exports with `export * from 'hot:<module>'`; with whether the
 * compiled module itself passes their exports on, directly or through other files.
 */
export function starModules(code: string): ReadonlyMap<string, boolean> {
  const stars = [...code.matchAll(STAR)];
  const targets = new Set([ENTRY.exec(code)?.[1]]);
  // The iteration of a set includes the elements that are added during it.
  for (const target of targets) for (const [, to, , from] of stars) if (to === target) targets.add(from);
  const modules = new Map<string, boolean>();
  for (const [, to, module] of stars) {
    if (module !== undefined) modules.set(module, modules.get(module) === true || targets.has(to));
  }
  return modules;
}

/**
 * Makes the `hot:` imports in compiled code live: the code reads every name from the node's own object, and `export *` passes
 * on given names.
 *
 * @param namesOf the names that `export *` from a module passes on.
 */
export function linkHotImports(code: string, namesOf: (module: string) => readonly string[]): string {
  return code
    .replace(NAMESPACE, '$1')
    .replace(STAR, (written, to: string, module: string | undefined) =>
      module === undefined ? written : `__reExport(${to}, require("hot:${module}", ${JSON.stringify(namesOf(module))})`,
    );
}
