import type { Head } from '../../../protocol/head.ts';
import type { NodeDescription } from '../../../protocol/messages.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import type { LostHead } from '../store/heads.ts';

/** What it means that the stream has lost heads, and what to do. Null when it has lost none. */
export function lostHeadsText(lost: readonly LostHead[]): string | null {
  const [first] = lost;
  if (first === undefined) return null;
  return olderStreamText(
    lost.map(({ head }) => head.module),
    first.kept?.revision ?? null,
  );
}

/**
 * The same, as nodes show it that have applied newer heads than the stream has, or heads of modules of which it has none: the
 * controller can be new too.
 */
export function headsBehindNodes(heads: readonly Head[], nodes: readonly NodeDescription[]): string | null {
  const kept = new Map(heads.map(head => [head.module, head]));
  const applied = nodes.flatMap(({ modules }) => Object.entries(modules));
  const behind = applied.filter(([module, { sequence }]) => sequence > (kept.get(module)?.sequence ?? 0));
  const modules = [...new Set(behind.map(([module]) => module))];
  const [first] = modules;
  return first === undefined ? null : olderStreamText(modules, kept.get(first)?.revision ?? null);
}

function olderStreamText(modules: readonly string[], kept: string | null): string {
  const [module = ''] = modules;
  const back = kept === null ? `hotcast remove ${module}` : `hotcast rollback ${module} --to ${shortRevision(kept)}`;
  return (
    `the stream is older than what runs: it lacks the newest ${modules.join(', ')}. Nodes run on; one that starts takes what ` +
    `the stream has. Choose: what your sources have (hotcast push ${module} --force), what the stream has (${back}), ` +
    'or a backup (hotcast restore FILE)'
  );
}
