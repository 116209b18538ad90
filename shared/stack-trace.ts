import { SourceMap } from 'node:module';
import { inspect } from 'node:util';

import { type Bundle, unpackMap } from '../protocol/bundle.ts';

/** Finds the bundle of a script by its name in stacks, `demo@3f2a9c81b0d4`. */
export type FindBundle = (script: string) => Pick<Bundle, 'map'> | null;

/** An error as plain data, for logs and answers. */
export interface ErrorDescription {
  /** The class of the error, or the type of another value that was thrown. */
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
}

/** V8's hook for stacks before any module has run. Some packages replace it for a moment, to read a stack. */
const prepareStackTrace: unknown = Reflect.get(Error, 'prepareStackTrace');

/** Restores V8's own format of stacks. */
export function resetStackTraces(): void {
  // Not an assignment, which throws after a module has frozen the property.
  Reflect.set(Error, 'prepareStackTrace', prepareStackTrace);
}

/** Describes a value that was thrown, with its stack mapped by {@link mapStack}. Never throws. */
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
    return { type: typeof thrown, message: 'a value that throws when it is read' };
  }
}

/** The script and the position of a module in a line of a stack. */
const POSITION = /([a-z][a-z0-9-]*@[0-9a-f]{12}):(\d+):(\d+)/;

/**
 * Maps a stack to the TypeScript sources. Each position in a bundle becomes the revision and a position in the source:
 * `demo@3f2a9c81b0d4 modules/demo.ts:4:9`. The node's own frames below the last of a module are left out.
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
        // Not findOrigin(): it adds the distance to the mapping's column, and can end up outside the line.
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
    // Without a readable map, the stack stays as it is.
    return null;
  }
}
