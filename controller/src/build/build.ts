import type { Bundle } from '../../../protocol/bundle.ts';
import { UnavailableError } from '../../../protocol/errors.ts';
import type { Manifest } from '../../../protocol/head.ts';
import type { Groups } from '../../../protocol/placement/groups.ts';
import type { OnReport } from '../api/command.ts';
import { SourceError } from '../api/diagnostic.ts';
import type { Compiled } from './compile.ts';
import { pack, refuseTooLarge } from './bundle-size.ts';
import type { UsedPackages } from './packages/imported-packages.ts';
import { PreflightError } from './preflight/preflight-error.ts';
import type { Preflight } from './preflight/runner.ts';
import type { SourceFiles } from './sources/source-files.ts';
import type { SourceSnapshot } from './sources/source-snapshot.ts';
import type { TypeCheck } from './type-check.ts';

/** A bundle that has passed all checks, its bytes for the wire, its packages, and what it was built from. */
export interface BuiltBundle {
  readonly bundle: Bundle;
  readonly packed: Uint8Array;
  /** Null when it uses none. */
  readonly packages: UsedPackages | null;
  readonly sources: Manifest['sources'];
  /** The groups that it goes to; null: every one. */
  readonly groups: Groups | null;
}

/** Compiles and checks modules that are to be loaded together. `check`: whether types are checked. */
export type Build = (modules: readonly string[], check: boolean, say: OnReport) => Promise<readonly BuiltBundle[]>;

interface BuildParts {
  readonly sources: SourceFiles;
  /** Compiles a module's source. @throws UsageError and SourceError */
  readonly compile: (module: string, sources: SourceSnapshot) => Promise<Compiled>;
  readonly typeCheck: Pick<TypeCheck, 'check'>;
  readonly preflight: Pick<Preflight, 'run'>;
  /** The largest message that NATS takes now, in bytes. */
  readonly maxPayload: () => number;
}

/** How long a build is tried again while its sources are saved (milliseconds). The first one can start the type checker. */
const RETRY_TIMEOUT_MS = 5_000;

/** How often it is tried at least. */
const MIN_TRIES = 10;

/** How many modules are compiled at the same time. esbuild's process takes memory for each of them. */
const MAX_COMPILES = 16;

/** How many modules are evaluated while types are checked. With the packages of more, both at once take too much memory. */
const MAX_AT_ONCE = 8;

/**
 * Creates the function that builds modules: it compiles them and checks their types at the same time, runs the preflight, and
 * packs the bundles. Nothing is sent.
 *
 * All of it sees the sources as they were at one moment. At that moment a file can be incomplete, or only one of two files that
 * belong together can be saved. So an error counts only if the sources have not changed meanwhile.
 *
 * @throws UsageError, SourceError, PreflightError
 */
export function createBuild(parts: BuildParts): Build {
  return async (modules, check, say) => {
    const startedAt = performance.now();
    let known: readonly string[] = [];
    for (let tries = 1; ; tries += 1) {
      const snapshot = await parts.sources.take(check, known);
      const isLate = tries >= MIN_TRIES && performance.now() - startedAt > RETRY_TIMEOUT_MS;
      try {
        const { built, warnings } = await buildOnce(parts, modules, check, snapshot, say);
        if (isLate || (await snapshot.isConsistent())) {
          for (const message of warnings) say({ type: 'warning', message });
          return built.map(each => ({ ...each, packed: pack(each.bundle, parts.maxPayload()) }));
        }
      } catch (error) {
        if (isLate || error instanceof UnavailableError || !snapshot.isOutdated()) throw error;
      }
      ({ known } = snapshot);
    }
  };
}

async function buildOnce(
  { compile, typeCheck, preflight, maxPayload }: BuildParts,
  modules: readonly string[],
  check: boolean,
  snapshot: SourceSnapshot,
  say: OnReport,
): Promise<{ readonly built: readonly Omit<BuiltBundle, 'packed'>[]; readonly warnings: readonly string[] }> {
  const compileStage = stageOf(say, 'compile', modules.length);
  compileStage.begin();
  const compiling = mapInTurn(modules, MAX_COMPILES, async module =>
    compileStage.done(await compile(module, snapshot)),
  );
  const files = compiling.then(all => [...new Set(all.flatMap(each => each.files))]);
  // The types, and the preflight.
  const checkStage = stageOf(say, 'check', check ? 2 : 1);
  const checking = check ? typeCheck.check(files, snapshot).then(checkStage.done) : Promise.resolve([]);
  const [diagnostics, preflighted, compiled] = await Promise.all([
    checking,
    compiling.then(async all => {
      const bundles = all.map(({ bundle }) => bundle);
      for (const bundle of bundles) refuseTooLarge(bundle, maxPayload());
      const packages = all.flatMap(({ bundle, packages: used }) =>
        used === null ? [] : [[bundle.module, used] as const],
      );
      checkStage.begin();
      if (modules.length > MAX_AT_ONCE) await checking;
      return checkStage.done(await preflight.run(bundles, new Map(packages)));
    }),
    compiling,
    // Handled here too: the type check waits for it only later, or not at all.
    files,
  ]);
  if (diagnostics.length > 0) {
    const what = diagnostics.length === 1 ? 'a type error' : `${diagnostics.length} type errors`;
    const summary = `${modules.join(' ')}: ${what}; nothing was sent (--no-check pushes all the same)`;
    throw new SourceError('types', summary, diagnostics);
  }
  if (preflighted instanceof PreflightError) throw preflighted;
  const built = preflighted.bundles.map((bundle, index) => ({
    bundle,
    packages: compiled[index]?.packages ?? null,
    sources: compiled[index]?.sources ?? {},
    groups: compiled[index]?.groups ?? null,
  }));
  return { built, warnings: [...compiled.flatMap(each => each.warnings), ...preflighted.warnings] };
}

/** Reports how much of a stage is done. */
function stageOf(say: OnReport, phase: string, expected: number) {
  let answered = 0;
  const begin = (): void => say({ type: 'progress', phase, answered, expected });
  const done = <T>(result: T): T => {
    answered += 1;
    begin();
    return result;
  };
  return { begin, done };
}

/** Maps items in their order, so many at the same time. After an error it begins with none any more. */
async function mapInTurn<T, R>(items: readonly T[], atOnce: number, map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = items.entries();
  let hasFailed = false;
  const work = async (): Promise<void> => {
    for (const [index, item] of rest) {
      if (hasFailed) return;
      results[index] = await map(item);
    }
  };
  const workers = Array.from({ length: atOnce }, () =>
    work().catch((error: unknown) => {
      hasFailed = true;
      throw error;
    }),
  );
  await Promise.all(workers);
  return results;
}
