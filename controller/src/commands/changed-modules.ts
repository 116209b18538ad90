import { UsageError } from '../../../protocol/errors.ts';
import { type Head, isPush, type Manifest } from '../../../protocol/head.ts';
import type { CommandOf, OnReport } from '../api/command.ts';
import type { ChangedModule } from '../api/results.ts';
import type { Unreadable } from '../build/module-entry.ts';
import type { CommandContext } from './context.ts';

type Sources = Pick<CommandContext, 'sources' | 'availableModules' | 'unreadableModules'>;

/** A module that should run somewhere, and the sources of its last push; empty if its heads name none. */
export interface PushedModule {
  readonly module: string;
  readonly sources: Manifest['sources'];
}

/**
 * What was pushed last, of each module that should run somewhere. It counts also if it was rolled back, or an older one was
 * restored: it was built from the sources of the folder.
 *
 * @param heads the last head of every module.
 */
export async function pushedModules(
  store: Pick<CommandContext['store'], 'history'>,
  heads: readonly Head[],
): Promise<PushedModule[]> {
  const running = heads.filter(({ revision, canary }) => revision !== null || canary !== null);
  return Promise.all(
    running.map(async last => {
      const pushed = isPush(last) ? last : (await store.history(last.module)).findLast(isPush);
      return { module: last.module, sources: sourcesOf(pushed) ?? sourcesOf(last) ?? {} };
    }),
  );
}

/**
 * The modules whose sources have changed since their last push, and which sources.
 *
 * @param among only these sources count; null: all.
 */
export function changedModules(
  { sources: now }: Pick<CommandContext, 'sources'>,
  pushed: readonly PushedModule[],
  among: ReadonlySet<string> | null = null,
): ChangedModule[] {
  return pushed.flatMap(({ module, sources }) => {
    const counting = Object.entries(sources).filter(([path]) => among === null || among.has(path));
    const files = now.changedAmong(Object.fromEntries(counting));
    return files.length === 0 ? [] : [{ module, files }];
  });
}

/**
 * The modules that a push is for: those that are named, all that have sources, or those whose sources have changed since their
 * last push. A module whose source can't be read, and of those with changes one with an open canary or without a source, is left
 * out, with a warning.
 *
 * @throws UsageError when the modules folder is empty.
 */
export async function modulesToPush(
  context: Sources & { readonly store: Pick<CommandContext['store'], 'heads' | 'history'> },
  { modules }: Pick<CommandOf<'push'>, 'modules'>,
  report: OnReport,
): Promise<readonly string[]> {
  if (modules !== 'all' && modules !== 'affected') return modules;
  if (modules === 'all') {
    const available = context.availableModules();
    for (const problem of context.unreadableModules().values()) report({ type: 'warning', message: leftOut(problem) });
    if (available.length === 0) throw new UsageError('there are no modules: write modules/demo.ts, for example');
    return available;
  }
  return affectedModules(context, await context.store.heads(), report);
}

/** Those whose sources have changed since their last push: see {@link modulesToPush}. */
export async function affectedModules(
  context: Sources & { readonly store: Pick<CommandContext['store'], 'history'> },
  heads: readonly Head[],
  report: OnReport,
): Promise<readonly string[]> {
  const available = context.availableModules();
  const unreadable = context.unreadableModules();
  const open = new Set(heads.flatMap(({ module, canary }) => (canary === null ? [] : [module])));
  const changed = changedModules(context, await pushedModules(context.store, heads));
  return changed.flatMap(({ module }) => {
    if (available.includes(module) && !open.has(module)) return [module];
    const problem = unreadable.get(module);
    const noSource =
      problem === undefined
        ? `${module} has no source any more and is left out; take it off the nodes: hotcast remove ${module}`
        : leftOut(problem);
    const message = open.has(module)
      ? `${module} has an open canary and is left out; end it first: hotcast promote ${module}, or rollback ${module}`
      : noSource;
    report({ type: 'warning', message });
    return [];
  });
}

function leftOut({ problem, remedy }: Unreadable): string {
  return `${problem} and is left out: ${remedy}`;
}

function sourcesOf(head: Head | undefined): Manifest['sources'] | undefined {
  return (head?.canary?.manifest ?? head?.manifest)?.sources;
}
