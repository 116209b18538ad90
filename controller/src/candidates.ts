import type { Say } from './command.ts';
import type { Compiled } from './compile.ts';
import { type Preflight, PreflightError } from './preflight.ts';

/** Compiles modules that are to be loaded together, and judges them before anything is sent. */
export type MakeCandidates = (modules: readonly string[], say: Say) => Promise<readonly Compiled[]>;

interface CandidateParts {
  /** Compiles a module's source as it is now. @throws UsageError and CompileError */
  readonly compile: (module: string) => Promise<Compiled>;
  readonly preflight: Preflight;
}

/**
 * What stands between a source and the fleet: compile, then preflight.
 *
 * @throws UsageError, CompileError, PreflightError
 */
export function candidatesFrom({ compile, preflight }: CandidateParts): MakeCandidates {
  return async (modules, say) => {
    const compiled = await Promise.all(modules.map(module => compile(module)));
    const outcome = await preflight.judge(compiled.map(({ bundle }) => bundle));
    if (outcome.status === 'refused') throw new PreflightError(outcome);
    for (const message of outcome.warnings) say({ type: 'warning', message });
    return compiled;
  };
}
