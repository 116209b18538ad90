import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../../../protocol/codec.ts';
import { whyOf } from '../../../../protocol/history/why.ts';
import type { Progress } from '../../../../protocol/history/progress.ts';
import type { Subjects } from '../../../../protocol/subjects.ts';
import type { Command } from '../../api/command.ts';
import type { OnReport, Report } from '../../api/report.ts';
import type { Result } from '../../api/results.ts';
import { modulesOf, outcomeOf } from './audited.ts';

/** Answers that come within this time are one message (milliseconds). */
const GATHER_MS = 50;

interface Announcing {
  readonly nats: Pick<NatsConnection, 'publish' | 'isClosed'>;
  readonly subjects: Pick<Subjects, 'progress'>;
}

/**
 * Carries out a command, and publishes how far it has come, if it is one that changes heads. It is for whoever looks: nothing waits
 * for it, and nothing depends on it.
 */
export async function announced<R extends Result>(
  { nats, subjects }: Announcing,
  command: Command,
  report: OnReport,
  run: (report: OnReport) => Promise<R>,
): Promise<R> {
  if (!('change' in command) || command.type === 'result' || (command.type === 'push' && command.dryRun))
    return run(report);
  const { change, type, author } = command;
  const publish = (progress: Progress): void => {
    if (!nats.isClosed()) nats.publish(subjects.progress, encode(progress));
  };
  const modules = modulesOf(command).map(({ module }) => module);
  const startedAt = performance.now();
  publish({ step: 'started', change, command: type, author, modules, ...whyOf(command) });
  const gathered = gather(change, publish);
  const end = (what: Omit<Extract<Progress, { step: 'ended' }>, 'step' | 'change' | 'ms'>): void => {
    gathered.flush();
    publish({ step: 'ended', change, ms: Math.round(performance.now() - startedAt), ...what });
  };
  try {
    const result = await run(message => {
      if (message.type === 'progress') gathered.add(message);
      report(message);
    });
    end({ ...outcomeOf(result), times: timesOf(result), refusals: refusalsOf(result), nodes: nodesOf(result) });
    return result;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    end({
      modules: modulesOf(command),
      outcome: 'failed',
      detail: detail.slice(0, 1_000),
      times: {},
      refusals: {},
      nodes: {},
    });
    throw error;
  }
}

type Step = Extract<Report, { readonly type: 'progress' }>;

/** Joins the answers of a phase. */
function gather(change: string, publish: (progress: Progress) => void) {
  let last: Step | null = null;
  let nodes: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (last === null) return;
    const { phase, answered, expected } = last;
    publish({ step: 'phase', change, phase, answered, expected, nodes });
    last = null;
    nodes = [];
  };
  const add = (step: Step): void => {
    if (last !== null && last.phase !== step.phase) flush();
    last = step;
    if (step.node !== undefined) nodes.push(step.node);
    timer ??= setTimeout(flush, GATHER_MS);
  };
  return { add, flush };
}

function timesOf(result: Result): Record<string, number> {
  return 'times' in result ? { ...result.times } : {};
}

function refusalsOf(result: Result): Record<string, number> {
  const refusals: Record<string, number> = {};
  for (const row of 'nodes' in result ? result.nodes : [])
    if ('reason' in row) refusals[row.reason] = (refusals[row.reason] ?? 0) + 1;
  return refusals;
}

function nodesOf(result: Result): Record<string, string[]> {
  const rows = 'nodes' in result && result.command !== 'status' ? result.nodes : [];
  const nodes: Record<string, string[]> = {};
  for (const { node, status } of rows) (nodes[status] ??= []).push(node);
  return nodes;
}
