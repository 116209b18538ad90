import { compareNodes } from '../../../protocol/names.ts';
import type { OnReport } from '../api/command.ts';
import type { HeadChangeResult } from '../api/results.ts';
import { awaitCommit } from '../rollout/commit.ts';
import type { HeadsWritten } from '../rollout/write-heads.ts';
import type { FleetContext } from './context.ts';
import { expectedNodes } from './select-nodes.ts';

interface HeadsRequest {
  readonly command: HeadChangeResult['command'];
  readonly timeoutMs: number;
  /** Decides on the new heads and writes them. @throws UsageError when a module can't be changed so */
  readonly write: () => Promise<HeadsWritten>;
}

/** Changes heads without a bundle: writes them, and awaits the commit. */
export async function changeHeads(
  context: FleetContext,
  { command, timeoutMs, write }: HeadsRequest,
  report: OnReport,
): Promise<HeadChangeResult> {
  const expected = expectedNodes(await context.membership.expected(), report);
  const written = await write();
  const modules = written.heads.map(({ module, revision }) => ({ module, revision }));
  if (written.status === 'overtaken') {
    const times = { write: 0, commit: 0, skew: 0 };
    return { command, modules, outcome: 'overtaken', detail: written.detail, nodes: [], times };
  }
  const onAnswer = (phase: string, answered: number): void =>
    report({ type: 'progress', phase, answered, expected: expected.size });
  const commit = await awaitCommit(context, written.heads, { expected, timeoutMs, onAnswer });
  return {
    command,
    modules,
    outcome: commit.outcome,
    detail: commit.detail,
    nodes: commit.nodes.toSorted((a, b) => compareNodes(a.node, b.node)),
    times: { write: written.ms, commit: commit.ms, skew: commit.skew },
  };
}
