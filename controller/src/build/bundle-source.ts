import { join, relative } from 'node:path';

import { build, type BuildOptions, type BuildResult } from 'esbuild';

import { esbuildService } from './esbuild-service.ts';
import { asEsModule } from './language/common-js.ts';
import { decoratorHelpers } from './language/decorator-metadata.ts';
import { NAMES } from './language/file-names.ts';
import type { HotcastConfig } from './language/hotcast-config.ts';
import { failureOf } from './language/messages.ts';
import { ASSETS, ownFiles } from './language/own-files.ts';
import type { Tsconfig } from './language/tsconfig.ts';
import { moduleEntry } from './module-entry.ts';
import { ImportedPackages } from './packages/imported-packages.ts';
import type { PackagesView } from './packages/packages.ts';
import { realPathOf } from './sources/source-file.ts';
import type { SourceSnapshot } from './sources/source-snapshot.ts';

/** What the modules of one build have in common. */
export interface Project {
  readonly modulesDir: string;
  readonly snapshot: SourceSnapshot;
  readonly tsconfig: Tsconfig;
  readonly config: HotcastConfig;
  readonly packages: PackagesView;
  /** How much code a module can have, in bytes. */
  readonly maxBytes: number;
}

type Built = BuildResult<{ readonly write: false; readonly metafile: true }>;

/** A module's source as esbuild bundles it. */
interface BundledSource {
  /** The module's file, by its path beside the modules folder. */
  readonly file: string;
  /** The code that nodes run: CommonJS with all imports in it, except packages. */
  readonly program: Built;
  /** The module as an ES module without packages and data: esbuild lists the names that a module exports only when it writes one. */
  readonly surface: Built;
  /** The packages that the program requires. */
  readonly imported: ImportedPackages;
}

/**
 * Bundles a module's source, see {@link moduleEntry}.
 *
 * @throws UsageError when there is no such module.
 * @throws SourceError when it does not compile.
 */
export async function bundleSource(project: Project, module: string): Promise<BundledSource> {
  const { root } = project.snapshot;
  const file = relative(root, moduleEntry(project.modulesDir, module));
  const built = await bundleEntry(project, module, { entryPoints: [file] });
  if (built.surface.metafile.inputs[file]?.format !== 'cjs') return { file, ...built };
  const entry = asEsModule(join(root, file), file, built.surface.outputFiles[0]?.text ?? '');
  return { file, ...(await bundleEntry(project, module, { stdin: entry })) };
}

async function bundleEntry(
  { modulesDir, snapshot, tsconfig, packages }: Project,
  module: string,
  entry: Pick<BuildOptions, 'entryPoints' | 'stdin'>,
): Promise<Omit<BundledSource, 'file'>> {
  const common = {
    ...entry,
    absWorkingDir: snapshot.root,
    bundle: true,
    write: false,
    platform: 'node',
    // As Node.js, and without `module`, which esbuild adds for bundlers.
    conditions: ['module-sync', 'node-addons'],
    mainFields: ['main'],
    // The node resolves other modules, so that a call reaches their current version.
    external: ['hot:*'],
    target: 'node24',
    tsconfigRaw: { compilerOptions: tsconfig.options },
    loader: ASSETS,
    charset: 'utf8',
    logLevel: 'silent',
    outfile: `${module}.js`,
    metafile: true,
  } as const satisfies BuildOptions;
  const imported = new ImportedPackages(packages, realPathOf(modulesDir));
  const [program, surface] = await Promise.allSettled([
    esbuildService.use(() =>
      build({
        ...common,
        format: 'cjs',
        sourcemap: 'external',
        define: { 'import.meta.hot': '__hotcast_hot', ...NAMES },
        // A script of `vm` has no loader of its own, so an import() becomes a require.
        supported: { 'dynamic-import': false },
        plugins: [imported.plugin, ownFiles(snapshot, tsconfig, 'whole'), decoratorHelpers],
      }),
    ),
    esbuildService.use(() =>
      build({
        ...common,
        format: 'esm',
        packages: 'external',
        plugins: [ownFiles(snapshot, tsconfig, 'names'), decoratorHelpers],
      }),
    ),
  ]);
  // The program's errors come first: the other build leaves packages out, so it does not find all errors.
  if (program.status === 'rejected') throw failureOf(module, program.reason);
  if (surface.status === 'rejected') throw failureOf(module, surface.reason);
  return { program: program.value, surface: surface.value, imported };
}
