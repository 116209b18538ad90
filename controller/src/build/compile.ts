import { readdirSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

import { build, type BuildOptions, type Message, type Plugin } from 'esbuild';

import { type Bundle, packMap } from '../../../protocol/bundle.ts';
import { UsageError } from '../../../protocol/errors.ts';
import { isModuleName } from '../../../protocol/names.ts';
import { revisionOf } from '../../../protocol/revision.ts';
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
  readonly sources: readonly string[];
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
  const names = await starNames(modulesDir, [...stars.keys()], snapshot, [...outer, module]);
  const own = surface.value.metafile.outputs[`${module}.js`]?.exports ?? [];
  const passedOn = [...names].flatMap(([from, all]) => (stars.get(from) === true ? all : []));
  const exports = [...new Set([...own, ...passedOn])];
  if (exports.length === 0) throw new UsageError(`${file} exports nothing: export at least one function`);
  // The first line of a program can name its interpreter; that of a module can't.
  const code = linkHotImports(written.replace(/^#!.*/, ''), from => names.get(from) ?? []);
  const bundle: Bundle = {
    module,
    revision: revisionOf(code),
    file,
    exports,
    live: [...liveExports(outputEndingIn('.js', surface.value.outputFiles), own), ...exports.slice(own.length)],
    // The preflight measures it.
    memoryBytes: 0,
    code,
    map: packMap(outputEndingIn('.map', program.value.outputFiles)),
  };
  const sources = Object.keys(program.value.metafile.inputs)
    .filter(path => /\.[mc]?tsx?$/.test(path) && !isInPackage(path))
    .map(path => resolve(root, path));
  return { bundle, sources };
}

/**
 * The names that `export * from 'hot:<module>'` passes on, by module: the exports that the module's source has now. A circle of
 * such exports adds no names.
 */
async function starNames(
  modulesDir: string,
  modules: readonly string[],
  snapshot: SourceSnapshot,
  outer: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const names = modules.map(async (module): Promise<[string, readonly string[]]> => {
    if (outer.includes(module)) return [module, []];
    if (!availableModules(modulesDir).includes(module)) {
      const star = `${outer.at(-1) ?? ''} has export * from 'hot:${module}'`;
      throw new UsageError(`${star}, but there is no modules/${module}.ts: write it, or write the names in place of *`);
    }
    const { bundle } = await compileWithin(modulesDir, module, snapshot, outer);
    return [module, bundle.exports.filter(name => name !== 'default')];
  });
  return new Map(await Promise.all(names));
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
