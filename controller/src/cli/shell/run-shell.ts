import type { Report } from '../../api/report.ts';
import { NO_RESULT } from '../exit-status.ts';
import type { Client } from '../../api/host.ts';
import type { ShellNode } from '../definition/actions.ts';
import type { Ask } from './asking.ts';
import { complete, type Known } from './completion.ts';
import { Following } from './following.ts';
import { runPrompt } from './prompt.ts';
import { Session } from './session.ts';
import { runTranscript } from './transcript.ts';

/** How long a press of Tab waits for what the nodes have (milliseconds). */
const COMPLETION_TIMEOUT_MS = 500;

/** A shell that was asked for. */
export interface ShellRequest extends ShellNode {
  readonly author: string;
  /** How long a call can take, milliseconds. */
  readonly timeoutMs: number;
  readonly ask: Ask;
}

/** Where a shell runs. */
export interface Place {
  readonly cookie: string;
  readonly client: Client;
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly historyFile: string;
}

/** Runs a shell in a terminal, or with the lines of a pipe. Returns the exit status. */
export async function runShell({ node, group, ask, ...request }: ShellRequest, place: Place): Promise<number> {
  const { cookie, client, input, output, historyFile } = place;
  const isTerminal = input.isTTY && output.isTTY;
  let print = (text: string): void => void output.write(`${text}\n`);
  using following = new Following(ask, logged => {
    const lines = session.printed.arrived(logged);
    if (lines.length > 0) print(lines.join('\n'));
  });
  const session = new Session({
    ...request,
    ask,
    cookie,
    colors: isTerminal && output.hasColors(),
    show: report => {
      if (report.type === 'warning') print(`warning: ${report.message}`);
      else if (isTerminal) output.write(`\r\u001B[K${progressText(report)}`);
    },
    // In a pipe, what is printed comes with the answers.
    onNode: each => isTerminal && following.on(each),
  });
  const problem = await session.start(node, AbortSignal.timeout(request.timeoutMs), group);
  if (problem !== null) {
    print(`hotcast: ${problem}`);
    return NO_RESULT;
  }
  if (!isTerminal) {
    const status = await runTranscript(session, { input, print, isMarked: client === 'pipe' });
    await session.end();
    // Lines that nobody reads would keep the process.
    input.destroy();
    return status;
  }
  const completer = async (line: string) => complete(line, session.kept, await known(ask).catch(() => NOTHING));
  await runPrompt(session, { input, output, historyFile, completer, onStart: above => (print = above) });
  await session.end();
  return 0;
}

/** How far a phase is. Nothing when it is over: its line is cleared. */
function progressText({ phase, answered, expected }: Extract<Report, { readonly type: 'progress' }>): string {
  return answered < expected ? `${phase} ${answered}/${expected}` : '';
}

const NOTHING: Known = { nodes: [], modules: new Map(), sources: [] };

async function known(ask: ShellRequest['ask']): Promise<Known> {
  const modules = new Map<string, readonly string[]>();
  const nodes: string[] = [];
  const query = { type: 'exports', node: null } as const;
  for await (const report of ask(query, COMPLETION_TIMEOUT_MS, AbortSignal.timeout(2 * COMPLETION_TIMEOUT_MS))) {
    if (report.type !== 'result' || report.result.command !== 'exports') continue;
    for (const row of report.result.nodes) {
      nodes.push(row.node);
      if (row.status !== 'present') continue;
      for (const [module, { exports }] of Object.entries(row.modules)) {
        modules.set(module, [...new Set([...(modules.get(module) ?? []), ...exports.map(({ name }) => name)])]);
      }
    }
    return { nodes, modules, sources: report.result.sources };
  }
  return NOTHING;
}
