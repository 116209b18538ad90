import type { Bundle } from '../../../protocol/bundle.ts';
import type { OnReport } from '../api/command.ts';
import type { Compiled } from './compile.ts';
import { pack, refuseTooLarge } from './bundle-size.ts';
import { type Preflight, PreflightError } from './preflight/runner.ts';
import { type TypeCheck, TypeCheckError } from './type-check.ts';

/** A bundle that may be sent, and its bytes for the wire. */
export interface BuiltBundle {
  readonly bundle: Bundle;
  readonly packed: Uint8Array;
}

/** Compiles modules that are to be loaded together, and judges them before anything is sent. */
export type Build = (modules: readonly string[], check: boolean, say: OnReport) => Promise<readonly BuiltBundle[]>;

interface CandidateParts {
  /** Compiles a module's source as it is now. @throws UsageError and CompileError */
  readonly compile: (module: string) => Promise<Compiled>;
  readonly typeCheck: TypeCheck;
  readonly preflight: Preflight;
  /** The largest message that NATS takes now, in bytes. */
  readonly maxPayload: () => number;
}

/**
 * What stands between a source and the fleet: compile, beside that check the types, then preflight, and pack.
 *
 * @throws UsageError, CompileError, TypeCheckError, PreflightError
 */
export function createBuild({ compile, typeCheck, preflight, maxPayload }: CandidateParts): Build {
  return async (modules, check, say) => {
    const compiling = Promise.all(modules.map(module => compile(module)));
    const sources = compiling.then(all => [...new Set(all.flatMap(each => each.sources))]);
    const [compiled, diagnostics, outcome] = await Promise.all([
      compiling,
      check ? typeCheck.check(sources) : [],
      compiling.then(all => {
        const bundles = all.map(({ bundle }) => bundle);
        for (const bundle of bundles) refuseTooLarge(bundle, maxPayload());
        return preflight.judge(bundles);
      }),
      sources,
    ]);
    if (diagnostics.length > 0) throw new TypeCheckError(modules, diagnostics);
    if (outcome.status === 'refused') throw new PreflightError(outcome);
    for (const message of outcome.warnings) say({ type: 'warning', message });
    return compiled.map(({ bundle }, index) => {
      const cache = outcome.caches[index];
      const whole = cache ? { ...bundle, cache } : bundle;
      return { bundle: whole, packed: pack(whole, maxPayload()) };
    });
  };
}
