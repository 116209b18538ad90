import * as v from 'valibot';

import { dryRunAnswer, malformedAnswer } from '../../../protocol/messages.ts';
import { compareNodes } from '../../../protocol/names.ts';
import type { OnReport, PushCommand } from '../api/command.ts';
import type { DryRunNode, DryRunResult } from '../api/results.ts';
import { askNodes } from '../fleet/ask-nodes.ts';
import { malformedRefusal } from '../rollout/node-outcomes.ts';
import { prepare } from '../rollout/prepare.ts';
import type { CommandContext } from './context.ts';
import { expectedNodes } from './select-nodes.ts';

const dryRunReply = v.variant('status', [dryRunAnswer, malformedAnswer]);

/**
 * A push that stops before the commit: every node prepares the modules and evaluates them apart, on a copy of its live data.
 * No head is written, and no node changes what it runs.
 *
 * @throws UsageError, CompileError, TypeCheckError and PreflightError before anything was sent.
 */
export async function dryRun(
  context: Omit<CommandContext, 'keyring' | 'monitor'>,
  { modules: names, check, force, timeoutMs }: PushCommand,
  report: OnReport,
): Promise<DryRunResult> {
  const [members, built] = await Promise.all([context.membership.expected(), context.build(names, check, report)]);
  const expected = expectedNodes(members, report);
  const modules = built.map(({ bundle: { module, revision } }) => ({ module, revision }));
  const prepared = await prepare(context, built, force, { expected, timeoutMs });
  const refusals = prepared.status === 'refused' ? prepared.refusals : [];
  const refused = new Set(refusals.map(({ node }) => node));
  const answered = prepared.status === 'unanswered' ? new Set<string>() : prepared.answered;
  const answers = await askNodes(context, {
    verb: 'dry-run',
    expected: new Set([...answered].filter(node => !refused.has(node))),
    timeoutMs,
    schema: dryRunReply,
    body: { modules },
  });
  const evaluated = [...answers.values()]
    .filter(({ answer }) => !refused.has(answer.node))
    .map(({ answer }): DryRunNode => (answer.status === 'malformed' ? malformedRefusal(answer) : answer));
  const heard = new Set([...refused, ...evaluated.map(({ node }) => node)]);
  const silent = [...expected].filter(node => !heard.has(node)).map(node => ({ node, status: 'silent' as const }));
  const nodes = [...refusals, ...evaluated, ...silent].toSorted((a, b) => compareNodes(a.node, b.node));
  return { command: 'dry-run', modules, nodes };
}
