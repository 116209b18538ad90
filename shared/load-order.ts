/** What is loaded in one step: modules, and the modules that they import as `hot:<module>`. */
export interface LoadUnit {
  readonly modules: readonly string[];
  readonly imports: readonly string[];
}

/** The `require` of a `hot:` import in compiled code. Names of exports can follow the module. */
const HOT_REQUIRE = /\brequire\("hot:([^"]+)"[,)]/g;
const HOT_REQUIRE_START = 'require("hot:';

/** The modules that a compiled module imports as `hot:<module>`, in the order of its code. */
export function hotImportsIn(code: string): string[] {
  // Most code has none, and this is faster.
  if (!code.includes(HOT_REQUIRE_START)) return [];
  return [...new Set(Array.from(code.matchAll(HOT_REQUIRE), ([, module = '']) => module))];
}

/**
 * Puts units into the order of their imports: what is imported comes before what imports it. Units that import each other in
 * a circle are one group. Apart from that the order stays. Imports of modules that no unit has don't count.
 *
 * The groups are strongly connected components (Tarjan 1972).
 *
 * @param describe the modules of a unit, and its imports.
 * @returns every unit, in groups; a group of several units is a circle, in the order of `units`.
 */
export function loadOrder<T>(units: readonly T[], describe: (unit: T) => LoadUnit): T[][] {
  if (units.length === 1) return [[...units]];
  const described = units.map(describe);
  const ownerOf = new Map(described.flatMap(({ modules }, index) => modules.map(module => [module, index] as const)));
  const importsOf = described.map(({ imports }) => {
    const owners = imports.map(module => ownerOf.get(module)).filter(owner => owner !== undefined);
    return [...new Set(owners)].toSorted((a, b) => a - b);
  });
  const groups: number[][] = [];
  /** When a unit was reached; Infinity when its group is complete. */
  const reachedAt = new Map<number, number>();
  const open: number[] = [];
  /** Visits a unit and what it imports; returns when the earliest unit was reached that it can reach. */
  const visit = (index: number): number => {
    const reached = reachedAt.size;
    reachedAt.set(index, reached);
    open.push(index);
    let earliest = reached;
    for (const imported of importsOf[index] ?? []) {
      earliest = Math.min(earliest, reachedAt.get(imported) ?? visit(imported));
    }
    if (earliest === reached) {
      const group = open.splice(open.indexOf(index));
      for (const member of group) reachedAt.set(member, Infinity);
      groups.push(group.toSorted((a, b) => a - b));
    }
    return earliest;
  };
  for (const index of units.keys()) if (!reachedAt.has(index)) visit(index);
  return groups.map(group => group.flatMap(index => units.slice(index, index + 1)));
}
