import { relative, resolve } from 'node:path';

import { type Bundle, packMap } from '../../../protocol/bundle.ts';
import { UsageError } from '../../../protocol/errors.ts';
import type { Manifest } from '../../../protocol/head.ts';
import type { Groups } from '../../../protocol/placement/groups.ts';
import { mapHashOf, revisionOf, shortRevision } from '../../../protocol/revision.ts';
import { showDiagnostic } from '../api/diagnostic.ts';
import { refuseMuchCode } from './bundle-size.ts';
import { bundleSource, type Project } from './bundle-source.ts';
import { linkHotImports, starModules } from './hot-imports.ts';
import { liveExports } from './live-exports.ts';
import { nameFiles, pathWarning } from './language/file-names.ts';
import { groupsFor, readConfig } from './language/hotcast-config.ts';
import { diagnosticOf } from './language/messages.ts';
import { readTsconfig } from './language/tsconfig.ts';
import { availableModules } from './module-entry.ts';
import type { UsedPackages } from './packages/imported-packages.ts';
import { linkPackages } from './packages/link-packages.ts';
import { Packages } from './packages/packages.ts';
import { refuseOtherFolder } from './project-folder.ts';
import { shortHelpers } from './short-helpers.ts';
import { isInPackage } from './sources/source-file.ts';
import { SourceFiles } from './sources/source-files.ts';
import type { SourceSnapshot } from './sources/source-snapshot.ts';

/** A bundle, its packages and its sources. */
export interface Compiled {
  readonly bundle: Bundle;
  /** Null when it uses none. */
  readonly packages: UsedPackages | null;
  /** The TypeScript files that it was built from, without packages. */
  readonly files: readonly string[];
  /** What the bundle was built from: see the manifest of a head. */
  readonly sources: Manifest['sources'];
  /** The groups that it goes to; null: every one. */
  readonly groups: Groups | null;
  /** What esbuild warns of, in text for people. */
  readonly warnings: readonly string[];
}

/**
 * Compiles a module's source, see {@link moduleEntry}, to CommonJS. Its npm packages are packed apart.
 *
 * @param module a valid module name.
 * @param sources the files as they are to be compiled, those of packages excepted: as they are now, if it is left out.
 * @param packages the installed packages, whose archives it keeps.
 * @param maxBytes see {@link refuseMuchCode}.
 * @throws UsageError when there is no such module, it exports nothing, it has too much code, or it uses a native package.
 * @throws SourceError when it does not compile.
 * @throws UnavailableError when esbuild's process ends meanwhile.
 */
export async function compile(
  modulesDir: string,
  module: string,
  sources?: SourceSnapshot,
  packages = new Packages(),
  maxBytes = Infinity,
): Promise<Compiled> {
  const snapshot = sources ?? (await new SourceFiles(modulesDir).take(false));
  const tsconfig = readTsconfig(modulesDir, snapshot);
  const config = await readConfig(modulesDir, snapshot);
  refuseOtherFolder(config, modulesDir, snapshot.root);
  const project = {
    modulesDir,
    snapshot,
    tsconfig,
    config,
    maxBytes,
    packages: packages.at(snapshot, config.external),
  };
  return compileWithin(project, module, []);
}

/** @param outer the modules that re-export this one, the direct one last. */
async function compileWithin(project: Project, module: string, outer: readonly string[]): Promise<Compiled> {
  const { snapshot, tsconfig, config } = project;
  const { root } = snapshot;
  const { file, program, surface, imported } = await bundleSource(project, module);
  const written = outputEndingIn('.js', program.outputFiles);
  refuseMuchCode(module, written, project.maxBytes);
  const stars = starModules(written);
  const starred = await compileStarred(project, [...stars.keys()], [...outer, module]);
  const names = new Map([...starred].map(([from, each]) => [from, namesPassedOn(each)]));
  const own = surface.metafile.outputs[`${module}.js`]?.exports ?? [];
  const passedOn = [...names].flatMap(([from, all]) => (stars.get(from) === true ? all : []));
  const exports = [...new Set([...own, ...passedOn])];
  if (exports.length === 0) throw new UsageError(`${file} exports nothing: export at least one function`);
  // The first line of a program can name its interpreter; that of a module can't.
  const linked = linkHotImports(written.replace(/^#!.*/, ''), from => names.get(from) ?? []);
  const isFile = (name: string): boolean => name in program.metafile.inputs;
  const { code, withPath } = nameFiles(await shortHelpers(linkPackages(linked), isFile), isFile);
  const packages = await imported.pack(module);
  const map = outputEndingIn('.map', program.outputFiles);
  const mapHash = mapHashOf(map);
  const bundle: Bundle = {
    module,
    revision: revisionOf(code, mapHash, packages?.hash),
    mapHash,
    ...(packages === null ? {} : { packages: packages.hash }),
    file,
    exports,
    live: [...liveExports(outputEndingIn('.js', surface.outputFiles), own), ...exports.slice(own.length)],
    // The preflight measures it.
    memoryBytes: 0,
    code,
    map: packMap(map),
  };
  const inputs = Object.keys(program.metafile.inputs).map(withoutAttributes);
  const typed = [...inputs, ...config.files].filter(path => /\.[mc]?tsx?$/.test(path) && !isInPackage(path));
  const files = typed.map(path => resolve(root, path));
  const others = [...tsconfig.files, ...config.files, ...imported.packageJsons].map(path => relative(root, path));
  const sources = Object.assign(
    hashesOf([...inputs, ...others], root, snapshot),
    ...[...starred.values()].map(each => each?.sources),
  );
  const paths = withPath.filter(path => !isInPackage(path));
  const warnings = [
    ...program.warnings,
    ...paths.map(path => pathWarning(path, snapshot.text(resolve(root, path)) ?? '')),
  ].map(each => showDiagnostic(diagnosticOf(each)));
  return { bundle, packages, files, sources, groups: groupsFor(config, module), warnings };
}

/** The path of a file that is imported with attributes, as esbuild writes it: `modules/demo.sql with { type: 'text' }`. */
function withoutAttributes(input: string): string {
  return input.replace(/ with \{.*\}$/, '');
}

/** The hashes of source files, and of the package.json of packages. */
function hashesOf(inputs: readonly string[], root: string, snapshot: SourceSnapshot): Manifest['sources'] {
  const paths = new Set(inputs.map(path => /^.*node_modules\/(?:@[^/]+\/)?[^/]+\//.exec(path)?.[0] ?? path));
  return Object.fromEntries(
    [...paths].flatMap(each => {
      const path = each.endsWith('/') ? `${each}package.json` : each;
      const hash = snapshot.hash(resolve(root, path));
      return hash === null ? [] : [[path, shortRevision(hash)]];
    }),
  );
}

/** The names that `export *` from a module passes on: the exports that its source has. A circle of such exports adds no names. */
function namesPassedOn(compiled: Compiled | null): string[] {
  return compiled === null ? [] : compiled.bundle.exports.filter(name => name !== 'default');
}

/** Compiles the modules that `export * from 'hot:<module>'` names; null for one that is being compiled. */
async function compileStarred(
  project: Project,
  modules: readonly string[],
  outer: readonly string[],
): Promise<ReadonlyMap<string, Compiled | null>> {
  const compiled = modules.map(async (module): Promise<[string, Compiled | null]> => {
    if (outer.includes(module)) return [module, null];
    if (!availableModules(project.modulesDir).includes(module)) {
      const star = `${outer.at(-1) ?? ''} has export * from 'hot:${module}'`;
      throw new UsageError(`${star}, but there is no modules/${module}.ts: write it, or write the names in place of *`);
    }
    return [module, await compileWithin(project, module, outer)];
  });
  return new Map(await Promise.all(compiled));
}

function outputEndingIn(ending: string, files: readonly { path: string; text: string }[]): string {
  const file = files.find(each => each.path.endsWith(ending));
  if (file === undefined) throw new TypeError(`esbuild wrote no ${ending} file`);
  return file.text;
}
