import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { CASES } from './cases/all.ts';
import type { PackageCase } from './package-case.ts';

/** The modules folder, with its own package.json and node_modules. */
export const MODULES = join(import.meta.dirname, 'modules');

/**
 * The cases of some modules: `express,pg`. `ci` stands for those whose package is in the dependencies of the folder: the
 * other packages are in its devDependencies, so that CI need not install them. Empty text stands for all.
 *
 * @throws TypeError when there is no case for a module.
 */
export function selectedCases(only: string): readonly PackageCase[] {
  if (only === '') return CASES;
  if (only === 'ci') return CASES.filter(each => installedInCi().has(each.package));
  return only.split(',').map(module => {
    const found = CASES.find(each => each.module === module);
    if (found === undefined) throw new TypeError(`test/packages has no module ${module}`);
    return found;
  });
}

/** The versions of the packages that package.json asks for, by name. */
export function wantedVersions(): ReadonlyMap<string, string> {
  const { dependencies, devDependencies } = readPackageJson();
  return new Map([...Object.entries(dependencies), ...Object.entries(devDependencies)]);
}

function installedInCi(): ReadonlySet<string> {
  return new Set(Object.keys(readPackageJson().dependencies));
}

function readPackageJson() {
  return JSON.parse(readFileSync(join(MODULES, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
  };
}
