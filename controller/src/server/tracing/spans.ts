import { randomBytes } from 'node:crypto';

import type { Head } from '../../../../protocol/head.ts';
import type { Command } from '../../api/command.ts';
import type { Report } from '../../api/report.ts';
import type { Result } from '../../api/results.ts';
import type { Commit } from '../../rollout/context.ts';
import { CONTROLLER } from '../../rollout/roll-back.ts';

/** A part of a trace. Times are milliseconds since 1970. */
export interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it is the first of its trace. */
  readonly parentId: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Why it failed; null: it did not. */
  readonly error: string | null;
}

/** Where a span is in its trace. */
export type Place = Pick<Span, 'traceId' | 'spanId' | 'parentId'>;

/** A node has answered in a phase. */
export interface Answered {
  readonly phase: string;
  readonly node: string;
  readonly at: number;
}

/** The commands that are traced: what changes the fleet, and calls. */
const TRACED: ReadonlySet<Command['type']> = new Set([
  'push',
  'rollback',
  'promote',
  'remove',
  'restore',
  'repair',
  'lift',
  'compile',
  'call',
]);

export const isTraced = ({ type }: Pick<Command, 'type'>): boolean => TRACED.has(type);

/** The place of a new span, in the trace that a `traceparent` names, or else in a new one. */
export function newPlace(traceparent: string | undefined): Place {
  const [, traceId = hex(16), parentId = ''] = traceparent?.split('-') ?? [];
  return { traceId, spanId: hex(8), parentId };
}

/** The `traceparent` for what happens below a span, see https://www.w3.org/TR/trace-context/. */
export function traceparentOf({ traceId, spanId }: Place): string {
  return `00-${traceId}-${spanId}-01`;
}

/** What nodes can answer to a command that did not do it. */
const FAILED: ReadonlySet<string> = new Set(['refused', 'error', 'silent', 'busy']);
const FAILED_OUTCOMES: ReadonlySet<string> = new Set(['refused', 'reverted', 'overtaken', 'unanswered', 'rolled-back']);

interface Ended {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly answers: readonly Answered[];
  /** The result, or why there is none. */
  readonly result: Result | Error;
}

/** The spans of a command that has ended: itself, its phases, and each node in each phase. */
export function spansOf(command: Command, place: Place, { startedAt, endedAt, answers, result }: Ended): Span[] {
  const isError = result instanceof Error;
  const root: Span = {
    ...place,
    name: nameOf(command, result),
    startedAt,
    endedAt,
    attributes: attributesOf(command, result),
    error: isError ? result.message : failureOf(result),
  };
  const phases = isError ? [] : phasesOf(result, startedAt, endedAt);
  const statuses = isError ? new Map<string, NodeRow>() : rowsOf(result);
  const below = phases.flatMap(({ name, from, to }) => {
    const span: Span = { ...childOf(root), name, startedAt: from, endedAt: to, attributes: {}, error: null };
    const own = answers.filter(({ phase }) => phase === name);
    return [span, ...own.map(answer => nodeSpan(span, answer, name === phases.at(-1)?.name ? statuses : null))];
  });
  return [root, ...below];
}

interface OwnEnded extends Pick<Ended, 'startedAt' | 'endedAt' | 'answers'> {
  readonly command: string;
  readonly heads: readonly Head[];
  readonly detail: string;
  /** What came of it, or why that is not known. */
  readonly commit: Commit | Error;
}

/** The spans of a change that the controller has made by itself: the change, and each node in each phase. */
export function spansOfOwn(
  place: Place,
  { command, heads, detail, startedAt, endedAt, answers, commit }: OwnEnded,
): Span[] {
  const modules = heads.map(({ module }) => module);
  const reverts = [...new Set(heads.flatMap(({ revertOf }) => revertOf ?? []))];
  const isError = commit instanceof Error;
  const root: Span = {
    ...place,
    name: [command, ...modules.slice(0, 5)].join(' '),
    startedAt,
    endedAt,
    attributes: {
      'hotcast.command': command,
      'hotcast.modules': modules.join(' '),
      'hotcast.author': CONTROLLER,
      'hotcast.change': heads[0]?.push ?? '',
      ...(reverts.length === 0 ? {} : { 'hotcast.reverts': reverts.join(' ') }),
      'hotcast.message': detail,
      ...(isError ? {} : { 'hotcast.outcome': commit.outcome, 'hotcast.skew_ms': commit.skew }),
    },
    error: isError ? commit.message : commit.outcome === 'committed' ? null : `${commit.outcome}: ${commit.detail}`,
  };
  if (isError) return [root];
  const committedAt = startedAt + commit.ms;
  const rows = new Map(commit.nodes.map(row => [row.node, row]));
  const phases = [
    { name: 'commit', from: startedAt, to: committedAt },
    { name: 'revert', from: committedAt, to: endedAt },
  ];
  const below = phases.flatMap(({ name, from, to }) => {
    const own = answers.filter(({ phase }) => phase === name);
    if (own.length === 0) return [];
    const span: Span = { ...childOf(root), name, startedAt: from, endedAt: to, attributes: {}, error: null };
    return [span, ...own.map(answer => nodeSpan(span, answer, name === 'commit' ? rows : null))];
  });
  return [root, ...below];
}

interface NodeRow {
  readonly node: string;
  readonly status: string;
  readonly detail?: unknown;
  readonly message?: unknown;
}

function nodeSpan(phase: Span, { node, at }: Answered, rows: ReadonlyMap<string, NodeRow> | null): Span {
  const { status = 'answered', detail, message } = rows?.get(node) ?? {};
  const why = typeof detail === 'string' ? detail : typeof message === 'string' ? message : '';
  return {
    ...childOf(phase),
    name: `${phase.name} ${node}`,
    startedAt: phase.startedAt,
    endedAt: Math.max(at, phase.startedAt),
    attributes: { 'hotcast.node': node, 'hotcast.status': status },
    error: FAILED.has(status) ? `${status}${why === '' ? '' : `: ${why}`}` : null,
  };
}

function childOf({ traceId, spanId }: Place): Place {
  return { traceId, spanId: hex(8), parentId: spanId };
}

/** The phases follow each other. What a canary was watched for is the rest. */
function phasesOf(result: Result, startedAt: number, endedAt: number) {
  if (!('times' in result)) return [{ name: 'nodes', from: startedAt, to: endedAt }];
  const { write, commit } = result.times;
  const before = 'compile' in result.times ? [result.times.compile, result.times.prepare] : [];
  const lengths = [
    ...before.map((ms, index) => [index === 0 ? 'compile' : 'prepare', ms] as const),
    ['write', write] as const,
    ['commit', commit] as const,
  ];
  let from = startedAt;
  const phases = lengths.flatMap(([name, ms]) => {
    const phase = { name, from, to: from + ms };
    from += ms;
    return ms > 0 ? [phase] : [];
  });
  return phases;
}

function rowsOf(result: Result): ReadonlyMap<string, NodeRow> {
  const rows: readonly NodeRow[] = 'nodes' in result && result.command !== 'status' ? result.nodes : [];
  return new Map(rows.map(row => [row.node, row]));
}

function failureOf(result: Result): string | null {
  if ('outcome' in result && FAILED_OUTCOMES.has(result.outcome))
    return `${result.outcome}: ${'detail' in result ? result.detail : ''}`;
  const failed = [...rowsOf(result).values()].filter(({ status }) => status === 'refused' || status === 'error');
  const [first] = failed;
  return first === undefined || 'outcome' in result
    ? null
    : `${first.status} on ${failed.map(({ node }) => node).join(', ')}`;
}

function modulesOf(command: Command, result: Result | Error): string[] {
  if (!(result instanceof Error) && 'modules' in result) return result.modules.map(({ module }) => module);
  if ('module' in command && typeof command.module === 'string') return [command.module];
  if (!('modules' in command) || typeof command.modules === 'string') return [];
  return command.modules.map(each => (typeof each === 'string' ? each : each.module));
}

function nameOf(command: Command, result: Result | Error): string {
  if (command.type === 'call') return `call ${command.call.split('(', 1)[0]}`;
  return [command.type, ...modulesOf(command, result).slice(0, 5)].join(' ');
}

function attributesOf(command: Command, result: Result | Error): Span['attributes'] {
  const modules = modulesOf(command, result);
  return {
    'hotcast.command': command.type,
    ...(modules.length > 0 ? { 'hotcast.modules': modules.join(' ') } : {}),
    ...('author' in command ? { 'hotcast.author': command.author } : {}),
    ...('change' in command ? { 'hotcast.change': command.change } : {}),
    ...('message' in command && command.message !== undefined ? { 'hotcast.message': command.message } : {}),
    ...('git' in command && command.git !== undefined ? { 'vcs.ref.head.revision': command.git.commit } : {}),
    ...(!(result instanceof Error) && 'outcome' in result ? { 'hotcast.outcome': result.outcome } : {}),
    ...(!(result instanceof Error) && 'times' in result ? { 'hotcast.skew_ms': result.times.skew } : {}),
  };
}

/** The answer of a node, as a command reports it; null for everything else. */
export function answerOf(report: Report, at: number): Answered | null {
  return report.type === 'progress' && report.node !== undefined
    ? { phase: report.phase, node: report.node, at }
    : null;
}

function hex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
