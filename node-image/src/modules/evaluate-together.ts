import { loadOrder } from '../../../shared/load-order.ts';
import type { ExportingVersion, HotImports } from './hot-imports.ts';
import type { Prepared } from './loader.ts';
import type { Version } from './version.ts';

/** A prepared revision, and how it is evaluated. */
export interface Member {
  readonly prepared: Prepared;
  /** @throws the error of the module */
  readonly evaluate: () => Version;
}

/**
 * `evaluated`: until `restore` is called, `hot:` imports have the exports of these versions. `failed`: the first revision that
 * threw; everything that the others opened is closed, and all `hot:` imports are as before.
 */
export type Evaluated =
  | { readonly status: 'evaluated'; readonly versions: readonly Version[]; readonly restore: () => void }
  | { readonly status: 'failed'; readonly failed: Prepared; readonly error: unknown };

/**
 * Evaluates prepared revisions in the order of their imports. While one is evaluated, its `hot:` imports have the exports of
 * those before it. In a circle, a module whose turn has not come has the exports of its current version, as when OTP loads a
 * set. When a name is read that this one does not have, its turn comes at once.
 */
export function evaluateTogether(members: readonly Member[], hotImports: HotImports): Evaluated {
  const ordered = loadOrder(members, ({ prepared: { bundle, imports } }) => ({ modules: [bundle.module], imports }));
  const pending = new Map(ordered.flat().map(member => [member.prepared.bundle.module, member]));
  const imported = new Set(members.flatMap(({ prepared }) => prepared.imports));
  const versions: Version[] = [];
  const replaced: (readonly [string, ExportingVersion | null])[] = [];
  let failure: (Evaluated & { readonly status: 'failed' }) | null = null;

  /** Evaluates a module if its turn has not come yet. @throws the error of the module */
  const evaluate = (module: string): void => {
    const member = pending.get(module);
    if (member === undefined) return;
    pending.delete(module);
    try {
      const version = member.evaluate();
      versions.push(version);
      if (imported.has(module)) replaced.push([module, hotImports.setExports(module, version)]);
    } catch (error) {
      // The first error is the cause: it passes through the modules that read a name of this one.
      failure ??= { status: 'failed', failed: member.prepared, error };
      throw error;
    }
  };
  const restore = (): void => {
    for (const [module, version] of replaced) hotImports.setExports(module, version);
  };

  hotImports.onMissing = evaluate;
  try {
    for (const module of pending.keys()) evaluate(module);
  } catch {
    // It is in `failure`.
  } finally {
    hotImports.onMissing = () => undefined;
  }
  if (failure === null) return { status: 'evaluated', versions, restore };
  restore();
  for (const { lifetime } of versions) void lifetime.end();
  return failure;
}
