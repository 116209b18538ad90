import type { ImportKind, Plugin } from 'esbuild';

import { isBuildFailure } from './language/messages.ts';
import { isInPackage } from './source-file.ts';

/** How code asks for a package when it runs. */
const KINDS: ReadonlySet<ImportKind> = new Set(['require-call', 'dynamic-import']);

/** The packages that other packages require and that are not installed, when all else of a build succeeded. */
export function missingInPackages(error: unknown): string[] {
  if (!isBuildFailure(error)) return [];
  const names = error.errors.map(({ text, location }) =>
    location !== null && isInPackage(location.file)
      ? (/^Could not resolve "([^./][^"]*)"$/.exec(text)?.[1] ?? null)
      : null,
  );
  return names.every(name => name !== null) ? names : [];
}

/**
 * Leaves the `require` and `import()` of packages that are not installed to run time, as in Node.js: a package can require a driver only when
 * it is asked for it. An `import` declaration of them still fails.
 */
export function leftToRunTime(missing: ReadonlySet<string>): Plugin {
  return {
    name: 'optional-packages',
    setup: esbuild =>
      esbuild.onResolve({ filter: /^[^./]/ }, ({ path, kind, importer }) =>
        KINDS.has(kind) && missing.has(path) && isInPackage(importer) ? { path, external: true } : undefined,
      ),
  };
}
