import type { CommandUnknownOpts, Option } from '@commander-js/extra-typings';

/** What can stand somewhere on the command line: fixed words, names that the controller knows, or a file. */
export type Words = readonly string[] | 'modules' | 'nodes' | 'groups' | 'files';

export interface CompletedOption {
  /** `--node`. */
  readonly flag: string;
  readonly description: string;
  /** Null if it has no value. */
  readonly value: Words | null;
}

export interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  readonly words: Words;
}

/** The names that a value or an argument of this name has. */
const NAMES: Readonly<Record<string, Words>> = {
  call: 'modules',
  file: 'files',
  group: 'groups',
  lift: 'modules',
  module: 'modules',
  canary: 'nodes',
  node: 'nodes',
  without: 'nodes',
};

/** What a shell can complete, of each command. A command that groups others has their options. */
export function completedCommands(program: CommandUnknownOpts): CompletedCommand[] {
  return program.commands.map(command => {
    const { commands, registeredArguments, options } = command;
    const [argument] = registeredArguments;
    const own = commands.length === 0 ? options : commands.flatMap(each => each.options);
    const words = argument?.argChoices ?? NAMES[argument?.name() ?? ''] ?? commands.map(each => each.name());
    return { name: command.name(), description: command.description(), options: own.flatMap(completedOption), words };
  });
}

function completedOption(option: Option): CompletedOption[] {
  if (!option.long) return [];
  const hasValue = option.required || option.optional;
  const value = hasValue ? (NAMES[option.attributeName()] ?? []) : null;
  return [{ flag: option.long, description: option.description, value }];
}
