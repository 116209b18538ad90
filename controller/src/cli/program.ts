import { Command as Program, CommanderError, InvalidArgumentError, Option } from 'commander';

import { HotcastError } from '../../../protocol/errors.ts';
import type { Command, Report } from '../api/command.ts';
import { sendCommand } from './client.ts';
import { render } from './render.ts';
import { exitStatus } from '../api/results.ts';

/** Where a command's output goes. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether a person is looking, so that progress is worth drawing. */
  readonly interactive: boolean;
}

/** What commands have in common, as the user gave it. */
interface Options {
  readonly json?: true;
  readonly timeout: number;
  readonly cookie?: string;
  readonly node?: string;
  readonly stack?: true;
  readonly force?: true;
  readonly check?: boolean;
  readonly dryRun?: true;
  readonly wait?: number;
  readonly canary?: string;
  readonly watch: number;
  readonly maxErrors: number;
  readonly overlap: number;
  readonly to?: string;
}

const WRONG_USE = 2;

/** How long nodes may take for what they answer from memory, seconds. */
const QUICK = 2;

/**
 * Runs `hotcast …` and gives its exit status: 0 done, 1 refused or failed somewhere, 2 wrong use or nothing sent,
 * 3 somebody who should have answered was silent.
 */
export async function runCli(
  args: readonly string[],
  socketPath: string,
  serve: () => Promise<void>,
  terminal: Terminal,
): Promise<number> {
  let status = 0;
  const program = new Program('hotcast')
    .description('Hot code loading for a fleet of Node.js containers.')
    .configureOutput({ writeOut: text => terminal.out(text.trimEnd()), writeErr: text => terminal.err(text.trimEnd()) })
    .exitOverride()
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 refused or failed somewhere, 2 wrong use or nothing sent, 3 a node was silent.',
    );

  const command = (
    usage: string,
    description: string,
    toCommand: (words: string[], options: Options) => CommandBody,
    timeout = 5,
    parent = program,
  ): Program => {
    const added = parent
      .command(usage)
      .description(description)
      .option('--json', 'print the result as JSON')
      .addOption(new Option('--timeout <time>', 'how long to wait for nodes').argParser(seconds).default(timeout))
      .option('--cookie <cookie>', "refuse unless this is the controller's cookie");
    added.action(async (...given: unknown[]) => {
      const options = added.opts<Options>();
      const words = given.flat().filter(word => typeof word === 'string');
      const common = { cookie: options.cookie || null, timeoutMs: options.timeout * 1_000 };
      status = await run(socketPath, { ...common, ...toCommand(words, options) }, options.json === true, terminal);
    });
    return added;
  };

  const author = process.env['HOTCAST_AUTHOR'] || 'hotcast';
  command('push <module...>', 'compile modules and load them on every node, together', (modules, options) => ({
    type: 'push',
    modules,
    author,
    force: options.force === true,
    check: options.check !== false,
    dryRun: options.dryRun === true,
    canary: options.canary
      ? { scope: options.canary, maxErrors: options.maxErrors, watch: options.watch * 1_000 }
      : null,
  }))
    .option('--force', 'purge an old version although calls are running on it')
    .option('--no-check', 'push although types are wrong')
    .addOption(
      new Option(
        '--dry-run',
        "tell what each node would say, on a copy of its data, and change nothing (it does run the modules' top level there)",
      ).conflicts('canary'),
    )
    .option('--canary <scope>', 'only on a part first: a number (1), a share (10%) or names (fred,betty)')
    .addOption(new Option('--watch <time>', 'how long to look on at the canary').argParser(seconds).default(10))
    .addOption(new Option('--max-errors <count>', 'failed calls that a canary may have').argParser(count).default(0));
  command('promote <module...>', "load the canary's revision on every node", modules => ({
    type: 'promote',
    modules,
    author,
  }));
  command('rollback <module...>', 'go back to the revision before', (modules, { to }) => ({
    type: 'rollback',
    modules,
    author,
    to: to || null,
  })).option('--to <revision>', 'go back to this one: its first digits, from the history');
  command('remove <module...>', 'take modules off every node', modules => ({ type: 'remove', modules, author }));
  command('purge <module>', "let go of a module's old version, also while calls run on it", ([module = '']) => ({
    type: 'purge',
    module,
    force: true,
  }));
  command('soft-purge <module>', "let go of a module's old version where no call runs on it", ([module = '']) => ({
    type: 'purge',
    module,
    force: false,
  }));
  command(
    'status',
    'compare what should run with what runs; exit status 1 when they differ',
    () => ({ type: 'status' }),
    QUICK,
  );
  command('history <module>', 'list the heads of a module, newest first', ([module = '']) => ({
    type: 'history',
    module,
  }));
  command('compile <module>', 'compile a module and load it on one node', ([module = ''], { node = '', check }) => ({
    type: 'compile',
    module,
    node,
    check: check !== false,
  }))
    .requiredOption('--node <name>', 'the node to load it on')
    .option('--no-check', 'load it although types are wrong');
  command(
    'call <call>',
    "call an exported function: hotcast call 'demo.add(4, 5)'",
    ([call = ''], { node, stack }) => ({
      type: 'call',
      call,
      node: node || null,
      stack: stack === true,
    }),
  )
    .option('--node <name>', 'ask this node only')
    .option('--stack', 'show where an error was thrown');
  command(
    'ping [node]',
    'ask one node, or all, whether they are there',
    ([node]) => ({ type: 'ping', node: node || null }),
    QUICK,
  );
  command(
    'nodes',
    'list the nodes, their processes and modules',
    (_, { wait }) => ({ type: 'nodes', wait: wait ?? null }),
    QUICK,
  ).addOption(new Option('--wait <count>', 'wait until so many nodes are there').argParser(positive));
  const keys = program.command('keys').description('see to the keys that nodes trust');
  command(
    'rotate',
    'seal with a new key from now on',
    (_, { overlap }) => ({ type: 'keys rotate', overlap: overlap * 1_000 }),
    5,
    keys,
  ).addOption(new Option('--overlap <time>', 'how long nodes trust the one before').argParser(seconds).default(600));
  program.command('serve').description('run the controller (what its container does)').action(serve);

  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : WRONG_USE;
  }
  return status;
}

type CommandBody = Command extends infer C ? (C extends Command ? Omit<C, 'cookie' | 'timeoutMs'> : never) : never;

async function run(socketPath: string, command: Command, json: boolean, terminal: Terminal): Promise<number> {
  try {
    for await (const report of sendCommand(socketPath, command)) {
      const status = show(report, json, terminal);
      if (status !== null) return status;
    }
    throw new TypeError('the reports ended without a result');
  } catch (error) {
    if (!(error instanceof HotcastError)) throw error;
    show({ type: 'failed', code: error.code, message: error.message }, json, terminal);
    return WRONG_USE;
  }
}

/** Shows a report; gives the exit status when it is the last. */
function show(report: Report, json: boolean, { out, err, interactive }: Terminal): number | null {
  const clear = interactive ? '\r\u001B[K' : '';
  switch (report.type) {
    case 'progress':
      if (interactive) process.stderr.write(`${clear}${report.phase} ${report.answered}/${report.expected}`);
      return null;
    case 'warning':
      err(`${clear}warning: ${report.message}`);
      return null;
    case 'failed':
      if (json) out(JSON.stringify({ failed: report }));
      err(`${clear}hotcast: ${report.message}`);
      return WRONG_USE;
    case 'result':
      if (clear !== '') process.stderr.write(clear);
      out(json ? JSON.stringify(report.result) : render(report.result));
      return exitStatus(report.result);
    default: {
      const check: never = report;
      return check;
    }
  }
}

/** Reads `10`, `10s`, `500ms` or `2m` as seconds. */
function seconds(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  const time = Number(digits) * (unit === 'ms' ? 0.001 : unit === 'm' ? 60 : 1);
  if (!(time > 0 && time <= 3_600))
    throw new InvalidArgumentError('give a time above 0, at most 1 hour: 10s, 500ms, 2m.');
  return time;
}

function count(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('give a whole number.');
  return Number(text);
}

function positive(text: string): number {
  if (count(text) === 0) throw new InvalidArgumentError('give a whole number above 0.');
  return count(text);
}
