import * as v from 'valibot';

import { decode, encode } from '../../protocol/codec.ts';
import { malformedAnswer, rehearseAnswer } from '../../protocol/messages.ts';
import { compareNodes } from '../../protocol/names.ts';
import type { Command, Say } from './command.ts';
import { namesOf } from './fleet.ts';
import { gather } from './gather.ts';
import { prepare, type PushParts } from './push.ts';
import type { RehearseResult, RehearsedNode } from './results.ts';
import { malformedRefusal } from './settle.ts';

const rehearseReply = v.variant('status', [rehearseAnswer, malformedAnswer]);

/**
 * A push that stops before the commit: every node prepares the modules and tries them aside, on a copy of its live data.
 * No head is written, and no node changes what it runs.
 *
 * @throws UsageError, CompileError, TypeCheckError and PreflightError before anything was sent.
 */
export async function rehearse(
  parts: PushParts,
  { modules, check, force, patience }: Extract<Command, { readonly type: 'push' }>,
  say: Say,
): Promise<RehearseResult> {
  const { nats, subjects, fleet } = parts;
  const [expected, compiled] = await Promise.all([fleet.expected(), parts.candidates(modules, check, say)]);
  const names = namesOf(expected, say);
  const targets = compiled.map(({ bundle: { module, revision } }) => ({ module, revision }));
  const { answered, refusals } = await prepare(parts, compiled, force, names, patience, () => undefined);
  const refusedNames = new Set(refusals.map(({ node }) => node));
  const waiting = new Set([...answered].filter(node => !refusedNames.has(node)));
  const answers = await gather<v.InferOutput<typeof rehearseReply>>(nats, {
    ask: inbox => nats.publish(subjects.all('rehearse'), encode({ modules: targets }), { reply: inbox }),
    decode: bytes => decode(rehearseReply, bytes),
    expected: waiting,
    patience,
  });
  const tried = [...answers.values()]
    .filter(({ answer }) => !refusedNames.has(answer.node))
    .map(({ answer }): RehearsedNode => (answer.status === 'malformed' ? malformedRefusal(answer) : answer));
  const heard = new Set([...refusedNames, ...tried.map(({ node }) => node)]);
  const silent = [...names].filter(node => !heard.has(node)).map(node => ({ node, status: 'silent' as const }));
  const nodes = [...refusals, ...tried, ...silent].toSorted((a, b) => compareNodes(a.node, b.node));
  return { command: 'rehearse', modules: targets, nodes };
}
