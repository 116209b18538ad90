import { isBuiltin } from 'node:module';

import { IMPORTED } from './evaluator.ts';

/** A `require` or an `import` in compiled code. */
const REQUEST = /\brequire(\.import)?\(("(?:[^"\\]|\\.)*")\)/g;

export interface PackageRequest {
  /** What `require` gets: with {@link IMPORTED} for an `import`. */
  readonly specifier: string;
  /** Whether it was an `import`: the code can't do without it. */
  readonly isImport: boolean;
}

/** What a compiled module takes from packages, in the order of its code. */
export function requiredPackages(code: string): PackageRequest[] {
  const requests = new Map<string, PackageRequest>();
  for (const [, imported, quoted = '""'] of code.matchAll(REQUEST)) {
    const name = JSON.parse(quoted) as string;
    const specifier = imported === undefined ? name : IMPORTED + name;
    if (name.startsWith('hot:') || isBuiltin(name)) continue;
    requests.set(specifier, { specifier, isImport: specifier.startsWith(IMPORTED) });
  }
  return [...requests.values()];
}
