/** The globals that each version has its own of. */
export const SCOPED_GLOBALS = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
  'console',
  'process',
  'global',
  'globalThis',
] as const;

/** What a module's function takes; `__hotcast_hot` is what the controller's compiler writes for `import.meta.hot`. */
const PARAMETERS = ['module', 'exports', 'require', '__hotcast_hot', ...SCOPED_GLOBALS];

/**
 * The script that a bundle's code is compiled as: an expression that gives the module's function. A code cache fits only
 * the text that it was made from, and V8 compares no more than the lengths: whoever makes or takes one has it from here.
 * The code begins on the second line, for which there are {@link SCRIPT_OPTIONS}.
 */
export function moduleScript(code: string): string {
  // Not one text put to the other: V8 would join them when the first function is called, in the middle of a swap.
  return [`(function (${PARAMETERS.join(', ')}) {\n`, code, '\n})'].join('');
}

/** Has stacks count the lines of the code, not of the script. */
export const SCRIPT_OPTIONS = { lineOffset: -1 } as const;

/** What a code cache is made for, as far as V8 does not see to it: it compares its version and flags itself. */
export const CODE_CACHE_RUNTIME = `V8 ${process.versions.v8} ${process.arch}`;
