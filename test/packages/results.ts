import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CASES } from './cases/all.ts';
import { MODULES } from './selected-cases.ts';

/** What the last run of a module's tests has shown, with the version of its package then. */
export interface TestResult {
  readonly version: string;
  readonly result: 'works' | 'refused' | 'fails';
}

const FILE = join(import.meta.dirname, 'results.json');

/** The results of the last runs, by module. docs/packages.md is made from them. */
export function readResults(): Readonly<Record<string, TestResult>> {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, TestResult>;
}

/** Writes the results of a run. Those of the modules that it left out stay. */
export function writeResults(results: ReadonlyMap<string, TestResult['result']>): void {
  const before = readResults();
  const lines = CASES.flatMap(({ module, package: name }) => {
    const result = results.get(module);
    const tested = result === undefined ? before[module] : { version: installedVersion(name), result };
    const fields = Object.entries(tested ?? {}).map(
      ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`,
    );
    return tested === undefined ? [] : [`  ${JSON.stringify(module)}: { ${fields.join(', ')} }`];
  });
  writeFileSync(FILE, `{\n${lines.toSorted().join(',\n')}\n}\n`);
}

function installedVersion(name: string): string {
  const text = readFileSync(join(MODULES, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
