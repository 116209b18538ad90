import { SourceMap } from 'node:module';
import { inspect } from 'node:util';

import { type Bundle, unpackMap } from '../protocol/bundle.ts';

/** Finds the bundle of a script in a stack by its name, `demo@3f2a9c81b0d4`. */
export type FindBundle = (script: string) => Pick<Bundle, 'map'> | null;

/** What was thrown, for logs and answers. */
export interface ErrorDescription {
  /** The error's class, or the type of what was thrown in its place. */
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
}

/** How stacks look before any module has run; modules may change that for a moment, as packages do to read one. */
const prepareStackTrace: unknown = Reflect.get(Error, 'prepareStackTrace');

/** Has stacks written as V8 does it, whatever a module has said. */
export function resetStackTraces(): void {
  // Not an assignment: a module may have frozen it.
  Reflect.set(Error, 'prepareStackTrace', prepareStackTrace);
}

/** Explains what was thrown, with its stack mapped: see {@link mapStack}. Never throws, whatever that was. */
export function describeError(thrown: unknown, find: FindBundle): ErrorDescription {
  try {
    if (thrown instanceof Error) {
      resetStackTraces();
      // Modules can set these to anything.
      const { name, message, stack }: { name: unknown; message: unknown; stack?: unknown } = thrown;
      const mapped = typeof stack === 'string' ? { stack: mapStack(stack, find) } : {};
      return { type: String(name), message: String(message), ...mapped };
    }
    const message = typeof thrown === 'string' ? thrown : inspect(thrown, { breakLength: Infinity });
    return { type: typeof thrown, message };
  } catch {
    return { type: typeof thrown, message: 'something that throws when it is looked at' };
  }
}

/** A module's script and position in a line of a stack. */
const POSITION = /([a-z][a-z0-9-]*@[0-9a-f]{12}):(\d+):(\d+)/;

/**
 * A stack as the module's author knows it: each position in a bundle becomes one in the TypeScript source, with the
 * revision, as `demo@3f2a9c81b0d4 modules/demo.ts:4:9`. Frames of the node itself, below the module's, are left out.
 * (`--enable-source-maps` does not map scripts of `vm`: nodejs/node#52102.)
 */
export function mapStack(stack: string, find: FindBundle): string {
  const lines = stack.split('\n');
  const last = lines.findLastIndex(line => POSITION.test(line));
  if (last === -1) return stack;
  const maps = new Map<string, SourceMap>();
  return lines
    .slice(0, last + 1)
    .map(line =>
      line.replace(POSITION, (position, script: string, row: string, column: string) => {
        const map = maps.get(script) ?? mapOf(find(script));
        if (map === null) return position;
        maps.set(script, map);
        // Not findOrigin(): it adds the columns that the bundle has more, and may end up beside the line.
        const found = map.findEntry(Number(row) - 1, Number(column) - 1);
        if (!('originalSource' in found)) return position;
        return `${script} ${found.originalSource}:${found.originalLine + 1}:${found.originalColumn + 1}`;
      }),
    )
    .join('\n');
}

/** The script of the topmost frame of a module in an error's stack; null when there is none. Never throws. */
export function scriptIn(thrown: unknown): string | null {
  try {
    resetStackTraces();
    const stack = thrown instanceof Error ? thrown.stack : null;
    return typeof stack === 'string' ? (POSITION.exec(stack)?.[1] ?? null) : null;
  } catch {
    return null;
  }
}

function mapOf(bundle: Pick<Bundle, 'map'> | null): SourceMap | null {
  if (bundle === null) return null;
  try {
    return new SourceMap(JSON.parse(unpackMap(bundle.map)) as ConstructorParameters<typeof SourceMap>[0]);
  } catch {
    // A map that can't be read leaves the stack as it is.
    return null;
  }
}
