import * as v from 'valibot';

import { decode, encode } from '../../../protocol/codec.ts';
import { malformedAnswer, dryRunAnswer } from '../../../protocol/messages.ts';
import { compareNodes } from '../../../protocol/names.ts';
import type { Command, OnReport } from '../api/command.ts';
import { expectedNodes } from '../fleet/membership.ts';
import { scatterGather } from '../fleet/scatter-gather.ts';
import { prepare, type PushParts } from './push.ts';
import type { DryRunResult, DryRunNode } from '../api/results.ts';
import { malformedRefusal } from '../rollout/commit.ts';

const dryRunReply = v.variant('status', [dryRunAnswer, malformedAnswer]);

/**
 * A push that stops before the commit: every node prepares the modules and tries them aside, on a copy of its live data.
 * No head is written, and no node changes what it runs.
 *
 * @throws UsageError, CompileError, TypeCheckError and PreflightError before anything was sent.
 */
export async function dryRun(
  parts: PushParts,
  { modules, check, force, timeoutMs }: Extract<Command, { readonly type: 'push' }>,
  say: OnReport,
): Promise<DryRunResult> {
  const { nats, subjects, fleet } = parts;
  const [expected, compiled] = await Promise.all([fleet.expected(), parts.candidates(modules, check, say)]);
  const names = expectedNodes(expected, say);
  const targets = compiled.map(({ bundle: { module, revision } }) => ({ module, revision }));
  const { answered, refusals } = await prepare(parts, compiled, force, names, timeoutMs, () => undefined);
  const refusedNames = new Set(refusals.map(({ node }) => node));
  const waiting = new Set([...answered].filter(node => !refusedNames.has(node)));
  const answers = await scatterGather<v.InferOutput<typeof dryRunReply>>(nats, {
    ask: inbox => nats.publish(subjects.all('dry-run'), encode({ modules: targets }), { reply: inbox }),
    decode: bytes => decode(dryRunReply, bytes),
    expected: waiting,
    timeoutMs,
  });
  const tried = [...answers.values()]
    .filter(({ answer }) => !refusedNames.has(answer.node))
    .map(({ answer }): DryRunNode => (answer.status === 'malformed' ? malformedRefusal(answer) : answer));
  const heard = new Set([...refusedNames, ...tried.map(({ node }) => node)]);
  const silent = [...names].filter(node => !heard.has(node)).map(node => ({ node, status: 'silent' as const }));
  const nodes = [...refusals, ...tried, ...silent].toSorted((a, b) => compareNodes(a.node, b.node));
  return { command: 'dry-run', modules: targets, nodes };
}
