import { UnavailableError } from '../../../../protocol/errors.ts';
import { offeredRevision } from '../../../../protocol/head.ts';
import { keptOffBy } from '../../../../protocol/kept-off.ts';
import { nodeDescription } from '../../../../protocol/messages.ts';
import type { OnReport } from '../../api/command.ts';
import type { NodesResult } from '../../api/results.ts';
import { askNodes, rowsOf } from '../../fleet/ask-nodes.ts';
import { clockOffsets, clockWarnings } from '../../fleet/clocks.ts';
import { packageVersionWarnings } from '../../fleet/package-versions.ts';
import { versionWarnings } from '../../rollout/versions.ts';
import type { CommandContext, Handler } from '../context.ts';

/** How often `nodes --wait` asks again (milliseconds). */
const WAIT_INTERVAL_MS = 100;

/** The timeout of each of these questions. */
const WAIT_TIMEOUT_MS = 1_000;

/**
 * Lists every node that should answer, with its description; with `wait`, when that many are present.
 *
 * @throws UnavailableError when they are not present in time.
 */
export const nodes: Handler<'nodes'> = async (context, { wait, timeoutMs }, report, signal) => {
  if (wait !== null) await waitForNodes(context, wait, timeoutMs, report, signal);
  return listNodes(context, timeoutMs, report, signal);
};

async function listNodes(
  context: CommandContext,
  timeoutMs: number,
  report: OnReport,
  signal: AbortSignal,
): Promise<NodesResult> {
  const [{ members, departed, warning, flood, foreign }, heads] = await Promise.all([
    context.membership.expected(),
    context.store.heads(),
  ]);
  if (warning !== null) report({ type: 'warning', message: warning });
  if (flood !== undefined) report({ type: 'warning', message: flood });
  if (foreign !== undefined) report({ type: 'warning', message: foreign });
  const containers = new Map(members.map(({ node, container }) => [node, container]));
  const asked = { expected: new Set(containers.keys()), departed };
  const natsOffset = await context.store.natsClockOffset();
  const askedAt = Date.now();
  const answers = await askNodes(context, { verb: 'describe', ...asked, timeoutMs, signal, schema: nodeDescription });
  const clocks = clockOffsets(answers, askedAt, natsOffset);
  const described = [...answers.values()].map(({ answer }) => answer);
  const versions = [...versionWarnings(described), ...packageVersionWarnings(described)];
  for (const message of [...clockWarnings(clocks), ...versions]) report({ type: 'warning', message });
  const keptOffOf = (node: string) =>
    heads.flatMap(head => {
      const entry = keptOffBy(head.keptOff, node, offeredRevision(head, node));
      return entry === undefined ? [] : [{ module: head.module, revision: entry.revision, cause: entry.cause }];
    });
  const rows = rowsOf(asked, answers, answer => {
    const keptOff = keptOffOf(answer.node);
    const clockOffsetMs = clocks.nodes.get(answer.node);
    return {
      ...answer,
      status: 'present' as const,
      ...(keptOff.length === 0 ? {} : { keptOff }),
      ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
    };
  });
  return {
    command: 'nodes',
    controllerClockOffsetMs: clocks.controller,
    nodes: rows.map(row => (row.status === 'silent' ? { ...row, container: containers.get(row.node) ?? '' } : row)),
  };
}

async function waitForNodes(
  context: CommandContext,
  wanted: number,
  timeoutMs: number,
  report: OnReport,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let present = 0;
  while (performance.now() < deadline) {
    const listed = await listNodes(context, WAIT_TIMEOUT_MS, () => undefined, signal);
    present = listed.nodes.filter(({ status }) => status === 'present').length;
    report({ type: 'progress', phase: 'waiting for nodes', answered: present, expected: wanted });
    if (present >= wanted) return;
    await new Promise(resolve => setTimeout(resolve, WAIT_INTERVAL_MS));
  }
  throw new UnavailableError(`only ${present} of ${wanted} nodes came up in time (see: docker compose logs)`);
}
