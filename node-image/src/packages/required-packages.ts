import { isBuiltin } from 'node:module';

import { IMPORTED } from './evaluator.ts';

/** A `require` or an `import` in compiled code. */
const REQUEST = /\brequire(\.import)?\(("(?:[^"\\]|\\.)*")\)/g;

export interface PackageRequest {
  readonly specifier: string;
  /** Whether it was an `import`: the code can't do without it. */
  readonly isImport: boolean;
}

/** What a compiled module takes from packages, in the order of its code. */
export function requiredPackages(code: string): PackageRequest[] {
  const requests = new Map<string, PackageRequest>();
  for (const [text, imported, quoted = '""'] of code.matchAll(REQUEST)) {
    const specifier = JSON.parse(quoted) as string;
    const isImport = imported !== undefined || specifier.startsWith(IMPORTED);
    if (!specifier.startsWith('hot:') && !isBuiltin(specifier)) requests.set(text, { specifier, isImport });
  }
  return [...requests.values()];
}
