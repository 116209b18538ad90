import type { Manifest } from '../../../protocol/head.ts';

/** The exports that a module no longer has. */
export interface RemovedExports {
  readonly module: string;
  readonly names: readonly string[];
}

/** The exports that a manifest no longer has; none when the module did not run before. */
export function removedExports(module: string, before: Manifest | null, after: Manifest): RemovedExports {
  return { module, names: before?.exports.filter(name => !after.exports.includes(name)) ?? [] };
}

/**
 * Warns of removed exports that other modules import: one warning for each, which names the importers.
 *
 * @param manifests of all modules, by module.
 */
export function removedExportWarnings(
  removed: readonly RemovedExports[],
  manifests: ReadonlyMap<string, Manifest>,
): string[] {
  return removed.flatMap(({ module, names }) =>
    names.flatMap(name => {
      const importers = [...manifests].flatMap(([importer, { imports }]) =>
        importer !== module && imports[module]?.includes(name) === true ? [importer] : [],
      );
      const verb = importers.length === 1 ? 'imports' : 'import';
      if (importers.length === 0) return [];
      return [`${module} no longer exports ${name}, which ${importers.join(', ')} ${verb}`];
    }),
  );
}
