import { UnavailableError } from '../../../../protocol/errors.ts';
import { offeredRevision } from '../../../../protocol/head.ts';
import { keptOffBy } from '../../../../protocol/kept-off.ts';
import { nodeDescription } from '../../../../protocol/messages.ts';
import { isInGroups } from '../../../../protocol/placement/groups.ts';
import type { CommandOf, OnReport } from '../../api/command.ts';
import type { NodesResult } from '../../api/results.ts';
import { askNodes, rowsOf } from '../../fleet/ask-nodes.ts';
import { clockOffsets, clockWarnings } from '../../fleet/clocks.ts';
import { packageVersionWarnings } from '../../fleet/package-versions.ts';
import { versionWarnings } from '../../rollout/versions.ts';
import type { CommandContext, Handler } from '../context.ts';
import { groupNamed, groupNames, groupOfNode, groupWarnings } from '../placement.ts';

/** How often `nodes --wait` asks again (milliseconds). */
const WAIT_INTERVAL_MS = 100;

/** The timeout of each of these questions. */
const WAIT_TIMEOUT_MS = 1_000;

/**
 * Lists every node that should answer, or those of a group, with its description; with `wait`, when that many are present.
 *
 * @throws UnavailableError when they are not present in time.
 */
export const nodes: Handler<'nodes'> = async (context, command, report, signal) => {
  const { wait, timeoutMs } = command;
  if (wait !== null) await waitForNodes(context, command, wait, report, signal);
  return listNodes(context, command, timeoutMs, report, signal);
};

async function listNodes(
  context: CommandContext,
  { group }: Pick<CommandOf<'nodes'>, 'group'>,
  timeoutMs: number,
  report: OnReport,
  signal: AbortSignal,
): Promise<NodesResult> {
  const [{ members: all, departed, warning, flood, foreign }, heads, configured] = await Promise.all([
    context.membership.expected(),
    context.store.heads(),
    groupNames(context),
  ]);
  const names = all.map(({ node }) => node);
  const groups = group === undefined ? null : groupNamed(group, [...(await context.groups()).keys()], names);
  const members = all.filter(({ node }) => isInGroups(groups, node));
  if (warning !== null) report({ type: 'warning', message: warning });
  if (flood !== undefined) report({ type: 'warning', message: flood });
  if (foreign !== undefined) report({ type: 'warning', message: foreign });
  const containers = new Map(members.map(({ node, container }) => [node, container]));
  const machines = new Map(members.map(({ node, machine }) => [node, machine]));
  const onMachine = (node: string) => {
    const machine = machines.get(node);
    return machine === undefined ? {} : { machine };
  };
  const asked = { expected: new Set(containers.keys()), only: groups !== null, departed };
  const natsOffset = await context.store.natsClockOffset();
  const askedAt = Date.now();
  const answers = await askNodes(context, { verb: 'describe', ...asked, timeoutMs, signal, schema: nodeDescription });
  const clocks = clockOffsets(answers, askedAt, natsOffset);
  const described = [...answers.values()].map(({ answer }) => answer);
  const versions = [...versionWarnings(described), ...packageVersionWarnings(described)];
  const warnings = [...clockWarnings(clocks), ...versions, ...groupWarnings(described, configured)];
  for (const message of warnings) report({ type: 'warning', message });
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
      group: groupOfNode(answer.node, configured),
      ...onMachine(answer.node),
      ...(keptOff.length === 0 ? {} : { keptOff }),
      ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
    };
  });
  return {
    command: 'nodes',
    controllerClockOffsetMs: clocks.controller,
    nodes: rows.map(row =>
      row.status === 'silent'
        ? {
            ...row,
            container: containers.get(row.node) ?? '',
            group: groupOfNode(row.node, configured),
            ...onMachine(row.node),
          }
        : row,
    ),
  };
}

async function waitForNodes(
  context: CommandContext,
  command: CommandOf<'nodes'>,
  wanted: number,
  report: OnReport,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + command.timeoutMs;
  let present = 0;
  while (performance.now() < deadline) {
    const listed = await listNodes(context, command, WAIT_TIMEOUT_MS, () => undefined, signal);
    present = listed.nodes.filter(({ status }) => status === 'present').length;
    report({ type: 'progress', phase: 'waiting for nodes', answered: present, expected: wanted });
    if (present >= wanted) return;
    await new Promise(resolve => setTimeout(resolve, WAIT_INTERVAL_MS));
  }
  throw new UnavailableError(`only ${present} of ${wanted} nodes came up in time (see: docker compose logs)`);
}
