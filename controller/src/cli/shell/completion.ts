import { DOT_COMMAND_NAMES, SHELL_FUNCTIONS, WORD_COMMANDS } from './entry.ts';

/** What the completion knows. */
export interface Known {
  readonly nodes: readonly string[];
  /** The modules of the node, with the names that they export. */
  readonly modules: ReadonlyMap<string, readonly string[]>;
  /** The modules that have sources, or run somewhere. */
  readonly sources: readonly string[];
}

/** Where a node's name is expected, and a module's. */
const NODE = /(?:^\s*\.on\s+|^\s*ping\s+|\bping\s*\(\s*'?)([\w-]*)$/;
const MODULE = /(?:\b(?:c|l|m|nl|code:(?:soft_)?purge)\s*\(\s*|^\s*(?:push|compile)\s+(?:\S+\s+)*)([\w-]*)$/;
const DOT_COMMAND = /^\s*\.([a-z]*)$/;
const EXPORT = /(?:^|[^\w$.-])([a-z][a-z0-9-]*)(\.|:)([\w$]*)$/;
const WORD = /(?:^|[^\w$.:])([\w$:-]*)$/;

/**
 * Completes the end of a line. Pure.
 *
 * @param kept the names that earlier lines have declared.
 * @returns what can stand in place of the last part of the line, and that part.
 */
export function complete(line: string, kept: readonly string[], known: Known): [string[], string] {
  const command = DOT_COMMAND.exec(line);
  if (command !== null)
    return starting(
      DOT_COMMAND_NAMES.map(name => `.${name}`),
      `.${command[1] ?? ''}`,
    );
  const node = NODE.exec(line);
  if (node !== null) {
    const names = /^\s*\.on\s/.test(line) ? [...known.nodes, 'all'] : known.nodes;
    return starting(names, node[1] ?? '');
  }
  const module = MODULE.exec(line);
  if (module !== null) return starting(unique([...known.sources, ...known.modules.keys()]), module[1] ?? '');
  const exported = EXPORT.exec(line);
  if (exported !== null) return exportsOf(exported, known);
  const word = WORD.exec(line)?.[1] ?? '';
  const isFirst = line.trimStart() === word;
  const commands = [...SHELL_FUNCTIONS, ...WORD_COMMANDS.map(name => `${name} `)];
  // On an empty line, what Erlang's shell lists: modules and functions.
  return starting(unique([...known.modules.keys(), ...kept, ...(isFirst ? commands : [])]), word);
}

function exportsOf([, module = '', separator = '', name = '']: RegExpExecArray, known: Known): [string[], string] {
  const typed = `${module}${separator}${name}`;
  const own = SHELL_FUNCTIONS.filter(each => each.startsWith(`${module}:`));
  const names = (known.modules.get(module) ?? []).map(each => `${module}${separator}${each}`);
  return starting([...names, ...(separator === ':' ? own : [])], typed);
}

function starting(words: readonly string[], start: string): [string[], string] {
  return [words.filter(word => word.startsWith(start)), start];
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)].toSorted((a, b) => a.localeCompare(b));
}
