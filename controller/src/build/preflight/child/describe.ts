/** The first line of an error, for people. */
export function describeError(error: unknown): string {
  try {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return text.split('\n', 1)[0] ?? '';
  } catch {
    return 'a value that throws when it is read';
  }
}

export function shortList(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}

/** Why a change of built-in objects is refused: `changes Math.random, which all modules share`. */
export function describeChange(names: readonly string[]): string {
  const text = `changes ${shortList(names)}, which all modules share`;
  return names.includes('Request') ? `${text}: ${REQUEST_REMEDY}` : text;
}

/** Hono's server for Node.js is what replaces this class, when a module has it listen. */
const REQUEST_REMEDY = 'give serve() of @hono/node-server the option overrideGlobalObjects: false';
