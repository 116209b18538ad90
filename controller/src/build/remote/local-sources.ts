import { isAbsolute, join, normalize } from 'node:path';

import { UsageError } from '../../../../protocol/errors.ts';
import type { Question } from '../../../../protocol/operators/session.ts';
import { shortRevision } from '../../../../protocol/revision.ts';
import type { OnReport } from '../../api/report.ts';
import { type BuiltBundle, createBuild } from '../build.ts';
import { compile } from '../compile.ts';
import { readConfig } from '../language/hotcast-config.ts';
import { availableModules, unreadableModules } from '../module-entry.ts';
import { packageOf } from '../packages/package-folder.ts';
import { Packages } from '../packages/packages.ts';
import { findProject } from '../project-folder.ts';
import { SourceFiles } from '../sources/source-files.ts';
import { TypeCheck } from '../type-check.ts';
import { encodeBuilt, encodeSurvey, type SentModule } from './wire.ts';

/** Answers what a controller asks of sources that are here. */
export interface LocalSources extends AsyncDisposable {
  /** @throws UsageError and SourceError as a build does. */
  readonly answer: (question: Question, say: OnReport) => Promise<Uint8Array>;
}

/**
 * Opens the sources of a project on this machine. They are built as the controller builds its own, but for the preflight, which it
 * does itself.
 *
 * @param projectDir the folder of the project.
 * @param appDir see {@link TypeCheck}.
 */
export async function openSources(projectDir: string, appDir: string): Promise<LocalSources> {
  const { root, modulesDir } = await findProject({ projectDir, modulesDir: '' }, () => undefined);
  const sources = new SourceFiles(modulesDir, root);
  const typeCheck = new TypeCheck(modulesDir, appDir, sources);
  const packages = new Packages();
  const build = createBuild({
    sources,
    compile: (module, snapshot) => compile(modulesDir, module, snapshot, packages),
    typeCheck,
    preflight: { run: async bundles => ({ bundles, warnings: [] }) },
    maxPayload: () => Infinity,
  });
  /** The archives of the last build, which the controller can ask for. */
  const archives = new Map<string, () => Promise<Uint8Array>>();

  const survey = async (paths: readonly string[]): Promise<Uint8Array> => {
    const snapshot = await sources.take(false);
    const { groups } = await readConfig(modulesDir, snapshot);
    const hashes = paths.flatMap(path => {
      const hash = isInside(path) ? snapshot.hash(join(root, path)) : null;
      return hash === null ? [] : [[path, shortRevision(hash)]];
    });
    return encodeSurvey({
      available: [...availableModules(modulesDir)],
      unreadable: [...unreadableModules(modulesDir)],
      groups: [...groups].map(([group, modules]) => [group, [...modules]]),
      hashes: Object.fromEntries(hashes) as Record<string, string>,
    });
  };

  const answer: LocalSources['answer'] = async (question, say) => {
    switch (question.what) {
      case 'survey':
        return survey(question.paths);
      case 'build': {
        const built = await build(question.modules, question.check, say);
        for (const { packages: used } of built) {
          for (const { hash, packed } of used?.archives ?? []) archives.set(hash, packed);
        }
        return encodeBuilt(built.map(sent));
      }
      case 'archive': {
        const packed = archives.get(question.hash);
        if (packed === undefined) throw new UsageError('the controller asked for a package that was not built');
        return packed();
      }
    }
  };
  return {
    answer,
    [Symbol.asyncDispose]: () => typeCheck[Symbol.asyncDispose](),
  };
}

function sent({ packed, sources, groups, packages }: BuiltBundle): SentModule {
  if (packages === null) return { packed, sources, groups, packages: null, set: null };
  const { hash, set, leftOut, imports } = packages;
  const files = imports.map(({ specifier, file, instance }) => ({
    specifier,
    path: packageOf(file)?.path ?? '',
    instance,
  }));
  return { packed, sources, groups, packages: { hash, imports: files, leftOut: [...leftOut] }, set };
}

/** The controller has no business with other files of this machine. */
function isInside(path: string): boolean {
  return !isAbsolute(path) && !normalize(path).startsWith('..');
}
