import { SourceMap } from 'node:module';
import { inspect } from 'node:util';

import type { Bundle } from '../../protocol/bundle.ts';

/** Finds the bundle of a script in a stack by its name, `demo@3f2a9c81b0d4`. */
export type FindBundle = (script: string) => Bundle | null;

/** What was thrown, for logs and answers. */
export interface Explained {
  /** The error's class, or the type of what was thrown in its place. */
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
}

/** Explains what was thrown, with its stack mapped: see {@link mapStack}. */
export function explain(thrown: unknown, find: FindBundle): Explained {
  if (thrown instanceof Error) {
    const { name, message, stack } = thrown;
    return { type: name, message, ...(stack === undefined ? {} : { stack: mapStack(stack, find) }) };
  }
  const message = typeof thrown === 'string' ? thrown : inspect(thrown, { breakLength: Infinity });
  return { type: typeof thrown, message };
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
        const found = map.findOrigin(Number(row), Number(column));
        return 'fileName' in found ? `${script} ${found.fileName}:${found.lineNumber}:${found.columnNumber}` : position;
      }),
    )
    .join('\n');
}

/** The script of the topmost frame of a module; null when no module is in the stack. */
export function scriptIn(stack: string): string | null {
  return POSITION.exec(stack)?.[1] ?? null;
}

function mapOf(bundle: Bundle | null): SourceMap | null {
  if (bundle === null) return null;
  try {
    return new SourceMap(JSON.parse(bundle.map) as ConstructorParameters<typeof SourceMap>[0]);
  } catch {
    // A map that can't be read leaves the stack as it is.
    return null;
  }
}
