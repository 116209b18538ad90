import { type Command as Program, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';

import { duration } from './option-values.ts';

/** The default timeout. */
const TIMEOUT = '5s';

const examples = new WeakMap<CommandUnknownOpts, string>();

/** The example of a command, as a user types it; null if it has none. */
export const exampleOf = (command: CommandUnknownOpts): string | null => examples.get(command) ?? null;

/** The commands of every day, in the order in which somebody needs them. */
const EVERYDAY = ['nodes', 'push', 'dev', 'call', 'shell', 'promote', 'status', 'history', 'rollback'];

/** Their examples, with the first words of their descriptions. */
export function examplesOf(program: Program): string {
  const commands = EVERYDAY.flatMap(name => program.commands.find(command => command.name() === name) ?? []);
  const lines = commands.map(command => {
    const [what = ''] = command.description().split(/[,;]/, 1);
    return [exampleOf(command) ?? '', what] as const;
  });
  const width = Math.max(...lines.map(([example]) => example.length));
  return lines.map(([example, what]) => `  ${example.padEnd(width)}  ${what}`).join('\n');
}

/** Takes the definition of a command, and does nothing with it. */
const LEFT_OUT: unknown = new Proxy(() => LEFT_OUT, { get: () => () => LEFT_OUT });

/**
 * Adds commands with the common options, and an example in their help.
 *
 * @param only the one to add; the others are left out, because to define all of them takes as long as a call. Null: all.
 */
export function commandAdder(only: string | null) {
  return <Usage extends string>(...[parent, usage, ...rest]: Parameters<typeof addCommand<Usage>>) =>
    only === null || usage.split(' ', 1)[0] === only
      ? addCommand(parent, usage, ...rest)
      : (LEFT_OUT as ReturnType<typeof addCommand<Usage>>);
}

function addCommand<Usage extends string>(parent: Program, usage: Usage, example: string, timeout = TIMEOUT) {
  const command = parent
    .command(usage)
    .option('--json', 'print the result as JSON')
    .option('--verbose', 'print a line for each node; without it, equal answers of many nodes are one line')
    .addOption(timeOption('--timeout <time>', 'how long to wait for nodes', timeout))
    .option('--cookie <cookie>', 'fail unless the controller has this cookie')
    .addHelpText('after', `\nExample:\n  ${example}`);
  examples.set(command, example);
  return command;
}

export function groupOption() {
  return new Option('--group <name>', 'only the nodes of this group');
}

/** An empty name counts as not given. */
export function groupOf({ group }: { readonly group?: string | undefined }): { readonly group?: string } {
  return group ? { group } : {};
}

export function messageOption() {
  return new Option('--message <text>', 'why, for the history and the audit');
}

/** An option whose value is a duration in milliseconds. */
export function timeOption<Flags extends string>(flags: Flags, description: string, value: string) {
  return new Option(flags, description).argParser(duration).default(duration(value), value);
}
