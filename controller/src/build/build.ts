import type { Bundle } from '../../../protocol/bundle.ts';
import type { OnReport } from '../api/command.ts';
import { SourceError } from '../api/diagnostic.ts';
import type { Compiled } from './compile.ts';
import { pack, refuseTooLarge } from './bundle-size.ts';
import { type Preflight, PreflightError } from './preflight/runner.ts';
import type { TypeCheck } from './type-check.ts';

/** A bundle that has passed all checks, and its bytes for the wire. */
export interface BuiltBundle {
  readonly bundle: Bundle;
  readonly packed: Uint8Array;
}

/** Compiles and checks modules that are to be loaded together. `check`: whether types are checked. */
export type Build = (modules: readonly string[], check: boolean, say: OnReport) => Promise<readonly BuiltBundle[]>;

interface BuildParts {
  /** Compiles a module's source as it is now. @throws UsageError and SourceError */
  readonly compile: (module: string) => Promise<Compiled>;
  readonly typeCheck: TypeCheck;
  readonly preflight: Preflight;
  /** The largest message that NATS takes now, in bytes. */
  readonly maxPayload: () => number;
}

/**
 * Creates the function that builds modules: it compiles them and checks their types at the same time, runs the preflight, and
 * packs the bundles. Nothing is sent.
 *
 * @throws UsageError, SourceError, PreflightError
 */
export function createBuild({ compile, typeCheck, preflight, maxPayload }: BuildParts): Build {
  return async (modules, check, say) => {
    const compiling = Promise.all(modules.map(module => compile(module)));
    const sources = compiling.then(all => [...new Set(all.flatMap(each => each.sources))]);
    const [diagnostics, preflighted] = await Promise.all([
      check ? typeCheck.check(sources) : [],
      compiling.then(all => {
        const bundles = all.map(({ bundle }) => bundle);
        for (const bundle of bundles) refuseTooLarge(bundle, maxPayload());
        return preflight.run(bundles);
      }),
      // Handled here too: the type check waits for it only later, or not at all.
      sources,
    ]);
    if (diagnostics.length > 0) {
      const what = diagnostics.length === 1 ? 'a type error' : `${diagnostics.length} type errors`;
      const summary = `${modules.join(' ')}: ${what}; nothing was sent (--no-check pushes all the same)`;
      throw new SourceError('types', summary, diagnostics);
    }
    if (preflighted instanceof PreflightError) throw preflighted;
    for (const message of preflighted.warnings) say({ type: 'warning', message });
    return preflighted.bundles.map(bundle => ({ bundle, packed: pack(bundle, maxPayload()) }));
  };
}
