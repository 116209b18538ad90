import type { AuditEntry } from '../../../../protocol/history/audit-entry.ts';
import { whyOf } from '../../../../protocol/history/why.ts';
import { mayText } from '../../../../protocol/operators/operator.ts';
import type { Command } from '../../api/command.ts';
import type { OnReport } from '../../api/report.ts';
import type { Result } from '../../api/results.ts';
import type { Audit } from '../../store/audit.ts';
import { isNoAnswer } from '../../store/no-answer.ts';

/** The longest detail of an entry, in characters. */
const MAX_DETAIL = 1_000;

/** The commands that only look. */
const READING: ReadonlySet<Command['type']> = new Set([
  'call',
  'exports',
  'session',
  'ping',
  'nodes',
  'names',
  'version',
  'doctor',
  'status',
  'history',
  'result',
  'audit',
  'events',
  'dev',
  'tail',
  'errors',
  'bans',
  'operator list',
]);

/** Carries out a command, and writes down what came of it, unless it only looks. */
export async function audited<R extends Result>(
  audit: Pick<Audit, 'write'>,
  command: Command,
  report: OnReport,
  run: () => Promise<R>,
): Promise<R> {
  if (READING.has(command.type) || (command.type === 'push' && command.dryRun)) return run();
  const write = async (
    outcome: Pick<AuditEntry, 'modules' | 'outcome' | 'detail'>,
    isAnswering?: boolean,
  ): Promise<void> => {
    const who = {
      author: 'author' in command ? command.author : '',
      change: 'change' in command ? command.change : null,
      ...('author' in command ? whyOf(command) : {}),
      ...(command.type === 'push' && command.canary !== null ? { canary: command.canary.scope } : {}),
    };
    try {
      await audit.write({ at: Date.now(), ...who, command: command.type, ...outcome }, isAnswering);
    } catch (error) {
      report({ type: 'warning', message: `the audit could not be written: ${messageOf(error)}` });
    }
  };
  try {
    const result = await run();
    await write(outcomeOf(result));
    return result;
  } catch (error) {
    const failed = {
      modules: modulesOf(command),
      outcome: 'failed',
      detail: messageOf(error).slice(0, MAX_DETAIL),
    } as const;
    await write(failed, !isNoAnswer(error));
    throw error;
  }
}

/** What a result says of a command in one line. */
export function outcomeOf(result: Result): Pick<AuditEntry, 'modules' | 'outcome' | 'detail'> {
  const modules = 'modules' in result ? result.modules.map(({ module, revision }) => ({ module, revision })) : [];
  const rows = 'nodes' in result && result.command !== 'status' ? result.nodes : [];
  const nodes = rows.map(({ status }): string => status);
  const counts = [...new Set(nodes)].map(status => `${nodes.filter(each => each === status).length} ${status}`);
  if ('outcome' in result && 'detail' in result) {
    const detail = [result.detail, counts.join(', ')].filter(part => part !== '').join('; ');
    return { modules, outcome: result.outcome, detail: detail.slice(0, MAX_DETAIL) };
  }
  if (result.command === 'compile') {
    const { module, revision } = result;
    const where = result.nodes.map(({ node }) => node).join(', ');
    return { modules: [{ module, revision }], outcome: nodes[0] ?? '', detail: `on ${where} only` };
  }
  if (result.command === 'evaluate') {
    return {
      modules,
      outcome: 'done',
      detail: `on ${result.nodes.map(({ node }) => node).join(', ')}: ${counts.join(', ')}`,
    };
  }
  return { modules, outcome: 'done', detail: detailOf(result) ?? counts.join(', ') };
}

/** What was done that is no change of nodes; null for everything else. */
function detailOf(result: Result): string | null {
  if (result.command === 'keys rotate') return `signing with key ${result.key}`;
  if (result.command === 'keys revoke') return `the key ${result.key}`;
  if (result.command === 'operator add') return `${result.credentials.name} may ${mayText(result)}`;
  return result.command === 'operator revoke' ? result.name : null;
}

/** The modules that a command names; their revisions are not known. */
export function modulesOf(command: Command): AuditEntry['modules'] {
  const names = 'modules' in command ? command.modules : 'module' in command ? [command.module ?? []].flat() : [];
  return (typeof names === 'string' ? [] : names).map(each =>
    typeof each === 'string' ? { module: each, revision: null } : { module: each.module, revision: each.revision },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
