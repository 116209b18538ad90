import { Argument, type Command as Program, Option } from '@commander-js/extra-typings';

import { LOG_LEVELS } from '../../../protocol/logs.ts';
import { UsageError } from '../../../protocol/errors.ts';
import { completionScript, SHELLS } from './completion/scripts.ts';
import { completedCommands } from './completion/words.ts';
import { EXIT_STATUSES } from './exit-status.ts';
import type { Actions, Change } from './definition/actions.ts';
import { commandAdder, examplesOf, groupOf, groupOption, messageOption, timeOption } from './definition/add-command.ts';
import { defineKeyCommands } from './definition/key-commands.ts';
import { defineOperatorCommands } from './definition/operator-commands.ts';
import { duration, moment, position, positiveNumber, wholeNumber } from './definition/option-values.ts';

/** A shorter timeout, for answers that nodes have in memory. */
const QUERY_TIMEOUT = '2s';

/** A call in the shell can take longer: Ctrl+C ends the waiting. */
const SHELL_TIMEOUT = '60s';

/** Nodes fetch all that they lack. */
const RESTORE_TIMEOUT = '60s';

/**
 * Defines the CLI: every command with its arguments, options and an example. CONTRIBUTING.md lists what else a new command
 * needs. An empty option counts as not given, because `make` passes empty ones.
 *
 * @param change the author and the id that the history records for a change.
 * @param only the command that is to be run. Null: all of them.
 */
export function defineCli(
  program: Program,
  change: Change,
  { send, backup, restore, shell, serve, print }: Actions,
  only: string | null = null,
): void {
  const addCommand = commandAdder(only);
  const { author, git } = change;
  const sources = git === undefined ? {} : { git };
  const changeOf = ({ message }: { readonly message?: string }) => ({
    author,
    change: change.change,
    ...(message ? { message } : {}),
  });
  const placeOf = ({ node, group }: { readonly node?: string; readonly group?: string }) => ({
    ...(node ? { node } : {}),
    ...groupOf({ group }),
  });
  const statuses = Object.entries(EXIT_STATUSES).map(([status, meaning]) => `  ${status.padEnd(5)}${meaning}`);
  program
    .description('Hot code loading for a fleet of Node.js containers.')
    .option('-V, --version', 'show the versions of Hotcast: the command version')
    .addHelpText('after', () => `\nExamples:\n${examplesOf(program)}\n\nExit statuses:\n${statuses.join('\n')}`);

  addCommand(program, 'push [module...]', 'hotcast push demo --canary 10%')
    .description('compile modules and load them on every node, together')
    .option('--all', 'push all modules that have sources')
    .addOption(
      new Option(
        '--affected',
        'push the modules whose sources have changed since their last push, without those that have an open canary',
      ).conflicts('all'),
    )
    .option('--force', 'purge all draining versions first, even if calls run on them, and push also what is unchanged')
    .option('--no-check', 'push even if types are wrong')
    .addOption(
      new Option(
        '--dry-run',
        "report what each node would answer, and change nothing (the modules' top-level code runs, on a copy of the data)",
      ).conflicts('canary'),
    )
    .option(
      '--canary <scope>',
      'load on a part of the nodes first: a number (1), a share (10%, "10% of web") or names (fred,betty)',
    )
    .option('--without <names>', 'leave these nodes out (fred,betty): they keep what they run until a later push')
    .addOption(timeOption('--watch <time>', 'how long to watch the canary', '10s'))
    .option('--max-errors <count>', 'how many failed calls the canary is allowed', wholeNumber, 0)
    .option('--min-calls <count>', 'how many calls the nodes of the canary must take for it to pass', wholeNumber, 1)
    .addOption(messageOption())
    .action((modules, options, command) => {
      const { all = false, affected = false, force = false, check, dryRun = false } = options;
      const { maxErrors, minCalls, watch } = options;
      const select = all ? 'all' : affected ? 'affected' : null;
      if (select === null && modules.length === 0) command.error('error: name a module, or give --all or --affected');
      if (select !== null && modules.length > 0) command.error(`error: name modules, or give --${select}, not both`);
      const canary = options.canary ? { scope: options.canary, maxErrors, minCalls, watch } : null;
      const without = options.without ? { without: options.without.split(',') } : {};
      const what = { ...changeOf(options), ...sources, force, check, dryRun, canary, ...without };
      return send(options, { type: 'push', modules: select ?? modules, ...what });
    });

  addCommand(program, 'dev', 'hotcast dev')
    .description(
      'watch modules and the files that they import until Ctrl+C, and push what is saved; type errors are told after the code is live',
    )
    .option('--strict', 'type errors stop a push')
    .action(options => send(options, { type: 'dev', author, ...sources, strict: options.strict ?? false }));

  addCommand(program, 'promote <module...>', 'hotcast promote demo')
    .description("load the canary's revision on every node")
    .addOption(messageOption())
    .action((modules, options) => send(options, { type: 'promote', modules, ...changeOf(options) }));

  addCommand(program, 'rollback <module...>', 'hotcast rollback demo --to 6ba64b75')
    .description('load the previous revision on every node')
    .option('--to <revision>', 'load this revision instead: its first digits, from the history')
    .addOption(messageOption())
    .action((modules, options) =>
      send(options, { type: 'rollback', modules, ...changeOf(options), to: options.to || null }),
    );

  addCommand(program, 'remove <module...>', 'hotcast remove demo')
    .description('remove modules from every node; their state stays there for a later push')
    .option('--state', 'clear their state too, also if they are removed already')
    .addOption(messageOption())
    .action((modules, options) =>
      send(options, { type: 'remove', modules, ...changeOf(options), state: options.state ?? false }),
    );

  addCommand(program, 'repair <module...>', 'hotcast repair demo')
    .description(
      'write the heads of modules again, newer than all that the nodes have seen, if nodes do not follow them',
    )
    .addOption(messageOption())
    .action((modules, options) => send(options, { type: 'repair', modules, ...changeOf(options) }));

  addCommand(program, 'purge <module>', 'hotcast purge demo')
    .description('purge the draining versions of a module, even if calls run on them')
    .option('--node <name>', 'on this node only')
    .addOption(groupOption())
    .action((module, options) => send(options, { type: 'purge', module, author, force: true, ...placeOf(options) }));

  addCommand(program, 'soft-purge <module>', 'hotcast soft-purge demo')
    .description('purge the draining versions of a module on which no call runs, and list the others')
    .option('--node <name>', 'on this node only')
    .addOption(groupOption())
    .action((module, options) => send(options, { type: 'purge', module, author, force: false, ...placeOf(options) }));

  addCommand(program, 'status', 'hotcast status', QUERY_TIMEOUT)
    .description(
      'compare what should run with what runs; the exit status is 1 if they differ, and 3 if only silent nodes are left',
    )
    .addOption(
      new Option('--wait <time>', 'wait so long for nodes that are behind or silent')
        .argParser(duration)
        .default(0, 'none'),
    )
    .addOption(groupOption())
    .action(options => send(options, { type: 'status', waitMs: options.wait, ...groupOf(options) }));

  addCommand(program, 'bans', 'hotcast bans --lift demo --node fred')
    .description(
      'list the nodes that are kept off revisions: those that these brought down, and those that a push left out',
    )
    .option('--lift <module>', 'have nodes load again what they are kept off')
    .option('--node <name>', 'lift it for this node only')
    .addOption(messageOption())
    .action(options => {
      const { lift, node } = options;
      if (!lift) return send(options, { type: 'bans' });
      return send(options, { type: 'lift', modules: [lift], ...changeOf(options), node: node || null });
    });

  addCommand(program, 'history [module]', 'hotcast history demo')
    .description(
      'list the heads of a module, or of all modules, newest first: who pushed what, why, and what came of it',
    )
    .action((module, options) => send(options, { type: 'history', module: module ?? null }));

  addCommand(program, 'audit', 'hotcast audit --since 2h', QUERY_TIMEOUT)
    .description('list what was done to the cluster, newest first, also what was refused, failed or automatic')
    .addOption(
      new Option('--since <time>', 'since when: 30m, 2h or 7d ago, or a date').argParser(moment).default(0, 'all'),
    )
    .action(options => send(options, { type: 'audit', since: options.since }));

  addCommand(program, 'events', 'hotcast events --follow --json', QUERY_TIMEOUT)
    .description('print what was done to the cluster, and the nodes that came and went, oldest first')
    .option('--follow', 'go on until Ctrl+C')
    .addOption(
      new Option('--since <position>', 'only what came after this position; 0: all that is kept')
        .argParser(position)
        .default(null, 'all, or from now on with --follow'),
    )
    .action(options => send(options, { type: 'events', since: options.since, follow: options.follow ?? false }));

  addCommand(
    program,
    'result <change> [module...]',
    'hotcast result 0b5e6f7c-3d8a-4c1e-9f2b-7a6d5c4b3a29',
    QUERY_TIMEOUT,
  )
    .description('look up what came of a change whose result was lost: its id, and its modules if they changed since')
    .action((id, modules, options) => send(options, { type: 'result', change: id, modules }));

  addCommand(program, 'compile <module>', 'hotcast compile demo --node fred')
    .description('compile a module and load it on one node')
    .requiredOption('--node <name>', 'the node')
    .option('--no-check', 'load it even if types are wrong')
    .action((module, options) => {
      const { node, check } = options;
      return send(options, { type: 'compile', module, author, ...sources, node, check });
    });

  addCommand(program, 'call <call>', "hotcast call 'demo.add(4, 5)'")
    .description('call an exported function on every node; its arguments are literals of JavaScript')
    .option('--node <name>', 'call it on this node only')
    .addOption(groupOption())
    .option('--stack', 'show where an error was thrown')
    .action((call, options) => {
      const { node, stack = false } = options;
      return send(options, { type: 'call', call, node: node || null, ...groupOf(options), stack });
    });

  addCommand(program, 'tail [module...]', "hotcast tail demo --grep 'not today'")
    .description(
      'show what modules log and throw, on all nodes, as it happens, until Ctrl+C; equal entries of many nodes are one',
    )
    .option('--node <name>', 'of this node only')
    .addOption(groupOption())
    .addOption(new Option('--level <level>', 'from this level on').choices(LOG_LEVELS).default('info' as const))
    .option('--grep <text>', 'only what contains this text')
    .action((modules, options) => {
      const { node, level, grep = '' } = options;
      return send(options, { type: 'tail', modules, node: node || null, ...groupOf(options), level, grep });
    });

  addCommand(program, 'errors <module>', 'hotcast errors demo', QUERY_TIMEOUT)
    .description('show the last ten errors of each revision of a module, as nodes remember them; equal ones are one')
    .option('--node <name>', 'of this node only')
    .addOption(groupOption())
    .action((module, options) =>
      send(options, { type: 'errors', module, node: options.node || null, ...groupOf(options) }),
    );

  addCommand(program, 'ping [node]', 'hotcast ping betty', QUERY_TIMEOUT)
    .description('check that one node, or every node, answers')
    .addOption(groupOption())
    .action((node, options) => send(options, { type: 'ping', node: node || null, ...groupOf(options) }));

  addCommand(program, 'nodes', 'hotcast nodes --wait 3 --timeout 60s', QUERY_TIMEOUT)
    .description('list the nodes with their processes and modules')
    .option('--wait <count>', 'wait until this many nodes are present', positiveNumber)
    .addOption(groupOption())
    .action(options => send(options, { type: 'nodes', wait: options.wait ?? null, ...groupOf(options) }));

  addCommand(program, 'version', 'hotcast --version', QUERY_TIMEOUT)
    .description('show the versions of Hotcast: of this command line, the controller and every node')
    .action(options => send(options, { type: 'version', cli: change.version }));

  addCommand(program, 'doctor', 'hotcast doctor', QUERY_TIMEOUT)
    .description('check what an operator looks at first; each line says what helps')
    .action(options => send(options, { type: 'doctor' }));

  addCommand(program, 'shell', 'hotcast shell --node fred', SHELL_TIMEOUT)
    .description(
      "type to a node as in Erlang's shell, or as in that of Node.js; lines of a pipe run up to the first error",
    )
    .option('--node <name>', 'the node; without it, the first one')
    .option('--group <name>', 'the first node of this group')
    .action(({ node, group, ...options }) => {
      if (node && group) throw new UsageError('name a node, or give --group, not both');
      return shell(options, { node: node || null, ...groupOf({ group }) });
    });

  addCommand(program, 'backup <file>', 'hotcast backup hotcast.backup')
    .description('write the stream and the public keys into a file; - is the standard output')
    .option('--keys', 'with the signing key, encrypted with the passphrase in HOTCAST_PASSPHRASE')
    .action((file, options) => backup(options, file));

  addCommand(program, 'restore <file>', 'hotcast restore hotcast.backup', RESTORE_TIMEOUT)
    .description('make every node run what a backup says, with its history; - is the standard input')
    .option('--keys', 'sign with the signing key of the backup from now on')
    .action((file, options) => restore(options, file));

  defineKeyCommands(program, addCommand, author, send);
  defineOperatorCommands(program, addCommand, author, send);

  addCommand(program, 'completion', 'eval "$(hotcast completion bash)"', QUERY_TIMEOUT)
    .description('print the script with which a shell completes hotcast, or the names of modules, nodes or groups')
    .addArgument(new Argument('<what>', 'what to print').choices([...SHELLS, 'modules', 'nodes', 'groups']))
    .action(async (what, options) => {
      if (what === 'modules' || what === 'nodes' || what === 'groups') await send(options, { type: 'names', of: what });
      else print(completionScript(what, completedCommands(program)).trimEnd());
    });

  program.command('serve').description('run the controller; its container does this').action(serve);
}
