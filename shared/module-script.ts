/** The timer functions of which each version and each package has its own. */
export const TIMERS = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
] as const;

export type TimerName = (typeof TIMERS)[number];

/** The globals of which each version has its own. */
export const SCOPED_GLOBALS = [...TIMERS, 'console', 'process', 'global', 'globalThis'] as const;

/** The parameters of a module's function. The compiler replaces `import.meta.hot` by `__hotcast_hot`. */
const PARAMETERS = ['module', 'exports', 'require', '__hotcast_hot', ...SCOPED_GLOBALS];

/**
 * The script of a bundle's code: an expression whose value is the module's function. Node and controller both use it, because
 * a code cache is valid only for the text that it was made from, and V8 compares only the lengths. The code begins on the
 * second line, see {@link SCRIPT_OPTIONS}.
 */
export function moduleScript(code: string): string {
  // Not with `+`: V8 would join the texts later, when the first function is called, in the middle of a swap.
  return [`(function (${PARAMETERS.join(', ')}) {\n`, code, '\n})'].join('');
}

/** The options of the script. Its stacks count the lines of the code. */
export const SCRIPT_OPTIONS = { lineOffset: -1 } as const;

/**
 * The key of the symbol of a node's global function that takes the name of a module's script, `demo@3f2a9c81b0d4`, and returns
 * its packed source map in base64, or null. `make debug` calls it through the inspector.
 */
export const SOURCE_MAP_KEY = 'hotcast.sourceMap';

/** The runtime that a code cache is made for. V8 itself also compares its version and its flags. */
export const CODE_CACHE_RUNTIME = `V8 ${process.versions.v8} ${process.arch}`;
