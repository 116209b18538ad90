import { readdirSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

import { build, type BuildOptions, type Message, type Plugin } from 'esbuild';

import { type Bundle, packMap } from '../../../protocol/bundle.ts';
import { UsageError } from '../../../protocol/errors.ts';
import type { Manifest } from '../../../protocol/head.ts';
import { isModuleName } from '../../../protocol/names.ts';
import { mapHashOf, revisionOf, shortRevision } from '../../../protocol/revision.ts';
import { type Diagnostic, SourceError, withoutPosition } from '../api/diagnostic.ts';
import { esbuildService } from './esbuild-service.ts';
import { linkHotImports, starModules } from './hot-imports.ts';
import { liveExports } from './live-exports.ts';
import { sourceEntry, type SourceEntry } from './source-entry.ts';
import { isInPackage } from './source-file.ts';
import { SourceFiles } from './source-files.ts';
import type { SourceSnapshot } from './source-snapshot.ts';

/** A bundle, and its sources. */
export interface Compiled {
  readonly bundle: Bundle;
  /** The TypeScript files that are in the bundle, without packages. */
  readonly files: readonly string[];
  /** What the bundle was built from: see the manifest of a head. */
  readonly sources: Manifest['sources'];
}

/**
 * Compiles `<modulesDir>/<module>.ts` (or `<module>/index.ts`) to CommonJS with its npm imports bundled in.
 *
 * @param module a valid module name.
 * @param sources the files as they are to be compiled, those of packages excepted: as they are now, if it is left out.
 * @throws UsageError when there is no such module, or it exports nothing.
 * @throws SourceError when it does not compile.
 * @throws UnavailableError when esbuild's process ends meanwhile.
 */
export async function compile(modulesDir: string, module: string, sources?: SourceSnapshot): Promise<Compiled> {
  return compileWithin(modulesDir, module, sources ?? (await new SourceFiles(modulesDir).take(false)), []);
}

/** @param outer the modules that re-export this one, the direct one last. */
async function compileWithin(
  modulesDir: string,
  module: string,
  snapshot: SourceSnapshot,
  outer: readonly string[],
): Promise<Compiled> {
  const root = dirname(modulesDir);
  const file = relative(root, sourceFile(modulesDir, module));
  const common = {
    absWorkingDir: root,
    entryPoints: [file],
    bundle: true,
    write: false,
    platform: 'node',
    // The node resolves other modules, so that a call reaches their current version.
    external: ['hot:*'],
    target: 'node24',
    tsconfigRaw: '{}',
    charset: 'utf8',
    logLevel: 'silent',
    outfile: `${module}.js`,
    metafile: true,
    plugins: [filesOf(snapshot)],
  } as const satisfies BuildOptions;
  const [program, surface] = await Promise.allSettled([
    esbuildService.use(() =>
      build({
        ...common,
        format: 'cjs',
        sourcemap: 'external',
        define: { 'import.meta.hot': '__hotcast_hot' },
        // A script of `vm` has no loader of its own, so an import() becomes a require.
        supported: { 'dynamic-import': false },
      }),
    ),
    // esbuild lists the names that a module exports only when it writes an ES module.
    esbuildService.use(() => build({ ...common, format: 'esm', packages: 'external' })),
  ]);
  // The program's errors come first: the other build leaves packages out, so it does not find all errors.
  if (program.status === 'rejected') throw failure(module, program.reason);
  if (surface.status === 'rejected') throw failure(module, surface.reason);

  const written = outputEndingIn('.js', program.value.outputFiles);
  const stars = starModules(written);
  const starred = await compileStarred(modulesDir, [...stars.keys()], snapshot, [...outer, module]);
  const names = new Map([...starred].map(([from, each]) => [from, namesPassedOn(each)]));
  const own = surface.value.metafile.outputs[`${module}.js`]?.exports ?? [];
  const passedOn = [...names].flatMap(([from, all]) => (stars.get(from) === true ? all : []));
  const exports = [...new Set([...own, ...passedOn])];
  if (exports.length === 0) throw new UsageError(`${file} exports nothing: export at least one function`);
  // The first line of a program can name its interpreter; that of a module can't.
  const code = linkHotImports(written.replace(/^#!.*/, ''), from => names.get(from) ?? []);
  const map = outputEndingIn('.map', program.value.outputFiles);
  const mapHash = mapHashOf(map);
  const bundle: Bundle = {
    module,
    revision: revisionOf(code, mapHash),
    mapHash,
    file,
    exports,
    live: [...liveExports(outputEndingIn('.js', surface.value.outputFiles), own), ...exports.slice(own.length)],
    // The preflight measures it.
    memoryBytes: 0,
    code,
    map: packMap(map),
  };
  const inputs = Object.keys(program.value.metafile.inputs);
  const files = inputs.filter(path => /\.[mc]?tsx?$/.test(path) && !isInPackage(path)).map(path => resolve(root, path));
  const sources = Object.assign(hashesOf(inputs, root, snapshot), ...[...starred.values()].map(each => each?.sources));
  return { bundle, files, sources };
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
  modulesDir: string,
  modules: readonly string[],
  snapshot: SourceSnapshot,
  outer: readonly string[],
): Promise<ReadonlyMap<string, Compiled | null>> {
  const compiled = modules.map(async (module): Promise<[string, Compiled | null]> => {
    if (outer.includes(module)) return [module, null];
    if (!availableModules(modulesDir).includes(module)) {
      const star = `${outer.at(-1) ?? ''} has export * from 'hot:${module}'`;
      throw new UsageError(`${star}, but there is no modules/${module}.ts: write it, or write the names in place of *`);
    }
    return [module, await compileWithin(modulesDir, module, snapshot, outer)];
  });
  return new Map(await Promise.all(compiled));
}

/** Gives esbuild the files of a snapshot. It reads packages by itself. */
function filesOf(snapshot: SourceSnapshot): Plugin {
  return {
    name: 'sources',
    setup: esbuild =>
      esbuild.onLoad({ filter: /.*/, namespace: 'file' }, ({ path }) => {
        if (isInPackage(path)) return undefined;
        const contents = snapshot.bytes(path);
        if (contents !== null) return { contents, loader: 'default' };
        const file = relative(esbuild.initialOptions.absWorkingDir ?? '', path);
        return { errors: [{ text: `Could not read ${file}: it is missing, not readable or no regular file` }] };
      }),
  };
}

/** The names of the modules in a folder that can be read. */
export function availableModules(modulesDir: string): string[] {
  if (sourceEntry(modulesDir) === 'nothing') return [];
  const names = readdirSync(modulesDir)
    .filter(name => !name.endsWith('.d.ts'))
    .map(name => basename(name, '.ts'))
    .filter(isModuleName);
  return [...new Set(names)].toSorted().filter(module => entriesOf(modulesDir, module).some(isFile));
}

interface Source {
  readonly path: string;
  readonly entry: SourceEntry;
}

const isFile = ({ entry }: Source): boolean => entry === 'file';

/** What is where the source of a module can be. */
function entriesOf(modulesDir: string, module: string): Source[] {
  return [join(modulesDir, `${module}.ts`), join(modulesDir, module, 'index.ts')]
    .map(path => ({ path, entry: sourceEntry(path) }))
    .filter(({ entry }) => entry !== 'nothing');
}

function sourceFile(modulesDir: string, module: string): string {
  const sources = entriesOf(modulesDir, module);
  const [file, second] = sources.filter(isFile);
  if (second !== undefined) {
    throw new UsageError(`there are both modules/${module}.ts and modules/${module}/index.ts: remove one`);
  }
  if (file !== undefined) return file.path;
  for (const { path, entry } of sources) {
    const name = relative(dirname(modulesDir), path);
    if (typeof entry === 'object') throw new UsageError(`${name} ${entry.problem}: make it a file that can be read`);
  }
  const known = availableModules(modulesDir).join(', ') || 'none yet';
  throw new UsageError(`there is no modules/${module}.ts; modules here: ${known}`);
}

function outputEndingIn(ending: string, files: readonly { path: string; text: string }[]): string {
  const file = files.find(each => each.path.endsWith(ending));
  if (file === undefined) throw new TypeError(`esbuild wrote no ${ending} file`);
  return file.text;
}

function failure(module: string, reason: unknown): unknown {
  if (!isBuildFailure(reason)) return reason;
  return new SourceError('compile', `${module} does not compile; nothing was sent`, reason.errors.map(diagnosticOf));
}

function isBuildFailure(error: unknown): error is { errors: Message[] } {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

function diagnosticOf({ text, location }: Message): Diagnostic {
  if (location === null) return withoutPosition(text);
  const { file, line, column, lineText, length } = location;
  // esbuild counts bytes of UTF-8, also past the end of the line.
  const bytes = Buffer.from(lineText);
  const before = bytes.subarray(0, column).toString();
  const about = bytes.subarray(column, column + length).toString();
  return { text, file, line, column: before.length + 1, source: lineText, length: Math.max(1, about.length) };
}
