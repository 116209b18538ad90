import { isModuleName } from '../../../../protocol/names.ts';
import { type Form, readForms, startsQualified, SyntaxFault } from './erlang-terms.ts';
import { isIncomplete } from './open-brackets.ts';

/** What a line of the shell asks for. */
export type Entry =
  /** `answer`: what Erlang answers. */
  | { readonly type: 'compile'; readonly module: string; readonly answer: 'ok' | 'module' }
  | { readonly type: 'info'; readonly module: string }
  | { readonly type: 'push'; readonly modules: readonly string[]; readonly isErlang: boolean }
  | { readonly type: 'purge'; readonly module: string; readonly force: boolean }
  | { readonly type: 'ping'; readonly node: string }
  /** What the shell asks: its own node, the other nodes, its cookie, tables of the nodes or of the modules, what modules print or
   * not any more, help. */
  | { readonly type: 'node' | 'nodes' | 'cookie' | 'node table' | 'status' | 'logs' | 'help' | 'quit' }
  /** The node that the next lines are for; null: all. */
  | { readonly type: 'on'; readonly node: string | null }
  /** A call as Erlang writes it. `call`: as JavaScript writes it. */
  | {
      readonly type: 'call';
      readonly call: string;
      readonly module: string;
      readonly name: string;
      readonly arity: number;
    }
  /** JavaScript or TypeScript. */
  | { readonly type: 'script'; readonly source: string };

export type EntryOf<T extends Entry['type']> = Extract<Entry, { readonly type: T }>;

/** What came of reading a line. `incomplete`: it goes on in the next line. */
export type Read =
  | { readonly type: 'entries'; readonly entries: readonly Entry[] }
  | { readonly type: 'incomplete' }
  | { readonly type: 'malformed'; readonly problem: string };

/** The shell's own functions and those of Erlang's modules, by name and number of arguments. Their arguments are atoms. */
const FUNCTIONS: Readonly<Record<string, (atom: string) => Entry>> = {
  'c/1': module => ({ type: 'compile', module, answer: 'ok' }),
  'l/1': module => ({ type: 'compile', module, answer: 'module' }),
  'm/1': module => ({ type: 'info', module }),
  'nl/1': module => ({ type: 'push', modules: [module], isErlang: true }),
  'ping/1': node => ({ type: 'ping', node: nodeOf(node) }),
  'net_adm:ping/1': node => ({ type: 'ping', node: nodeOf(node) }),
  'code:purge/1': module => ({ type: 'purge', module, force: true }),
  'code:soft_purge/1': module => ({ type: 'purge', module, force: false }),
  'node/0': () => ({ type: 'node' }),
  'erlang:node/0': () => ({ type: 'node' }),
  'nodes/0': () => ({ type: 'nodes' }),
  'erlang:nodes/0': () => ({ type: 'nodes' }),
  'erlang:get_cookie/0': () => ({ type: 'cookie' }),
  'q/0': () => ({ type: 'quit' }),
  'help/0': () => ({ type: 'help' }),
};

/** The functions that can be typed without a module, with what they take. */
export const SHELL_FUNCTIONS = Object.keys(FUNCTIONS).map(name => name.replace(/\/.*/, '('));

/** Commands that are words, as in `hotcast push demo`. */
const WORDS: Readonly<Record<string, (words: readonly string[]) => Entry | null>> = {
  push: modules => (modules.every(isModuleName) ? { type: 'push', modules, isErlang: false } : null),
  compile: ([module = '', ...more]) =>
    more.length === 0 && isModuleName(module) ? { type: 'compile', module, answer: 'ok' } : null,
  ping: ([node = '', ...more]) => (more.length === 0 ? { type: 'ping', node: nodeOf(node) } : null),
};

/** Commands with a dot, as in the shell of Node.js. */
const DOT_COMMANDS: Readonly<Record<string, (argument: string) => Entry | null>> = {
  help: () => ({ type: 'help' }),
  exit: () => ({ type: 'quit' }),
  nodes: () => ({ type: 'node table' }),
  status: () => ({ type: 'status' }),
  logs: () => ({ type: 'logs' }),
  on: node => (node === '' ? null : { type: 'on', node: node === 'all' ? null : nodeOf(node) }),
};

export const WORD_COMMANDS = Object.keys(WORDS);
export const DOT_COMMAND_NAMES = Object.keys(DOT_COMMANDS);

/** Reads what was typed: forms of Erlang, a command, or JavaScript. Pure. */
export function readEntry(text: string): Read {
  const line = text.trim();
  if (line === '' || /^(?:%.*|\/\/.*)$/.test(line)) return { type: 'entries', entries: [] };
  const command = dotCommand(line) ?? wordCommand(line);
  if (command !== null) return command;
  return erlang(line) ?? script(line);
}

function dotCommand(line: string): Read | null {
  const [, name = '', argument = ''] = /^\.([a-z]+)(?:\s+(\S+))?$/.exec(line) ?? [];
  if (name === '') return null;
  const make = Object.hasOwn(DOT_COMMANDS, name) ? DOT_COMMANDS[name] : undefined;
  const entry = make?.(argument) ?? null;
  if (entry !== null) return { type: 'entries', entries: [entry] };
  const problem =
    make === undefined ? `there is no command .${name} (see .help)` : 'name a node: .on betty, or .on all';
  return { type: 'malformed', problem };
}

function wordCommand(line: string): Read | null {
  const [word = '', ...rest] = line.split(/\s+/);
  if (rest.length === 0 || !Object.hasOwn(WORDS, word)) return null;
  const entry = WORDS[word]?.(rest) ?? null;
  return entry === null ? null : { type: 'entries', entries: [entry] };
}

/** The forms of Erlang that a line is; null when it is JavaScript. */
function erlang(line: string): Read | null {
  try {
    const entries = readForms(line).map(entryOf);
    return entries.includes(null) ? null : { type: 'entries', entries: entries.filter(entry => entry !== null) };
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    if (!startsQualified(line)) return null;
    return error.isIncomplete ? { type: 'incomplete' } : { type: 'malformed', problem: error.message };
  }
}

/** What a form asks for; null when it is none of the shell's. */
function entryOf({ module, name, args, atoms }: Form): Entry | null {
  const id = `${module === null ? '' : `${module}:`}${name}/${args.length}`;
  const own = Object.hasOwn(FUNCTIONS, id) ? FUNCTIONS[id] : undefined;
  const [atom = ''] = atoms;
  if (own !== undefined && atom !== null) return own(atom);
  if (module === null) return null;
  return { type: 'call', call: `${module}.${name}(${args.join(', ')})`, module, name, arity: args.length };
}

function script(source: string): Read {
  return isIncomplete(source) ? { type: 'incomplete' } : { type: 'entries', entries: [{ type: 'script', source }] };
}

/** The name of a node: `betty` of `betty@127.0.0.1`. */
function nodeOf(name: string): string {
  return name.split('@', 1)[0] ?? name;
}
