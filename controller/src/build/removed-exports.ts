import { type Bundle, decodeBundle } from '../../../protocol/bundle.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import type { Head } from '../../../protocol/head.ts';
import type { StreamStore } from '../store/stream-store.ts';

type Code = Pick<Bundle, 'module' | 'code'>;

/** The bundle that a head says should run; null when there is none. */
export async function runningBundle(store: StreamStore, head: Head | null): Promise<Bundle | null> {
  return head === null || head.revision === null ? null : read(store, head.module, head.revision);
}

/**
 * Warns of exports that new bundles have no more, and that other modules import as `hot:<module>`.
 *
 * @param running the bundles in their place before, in their order.
 */
export async function warnOfRemovedExports(
  store: StreamStore,
  bundles: readonly Bundle[],
  running: readonly (Bundle | null)[],
): Promise<string[]> {
  const pushed = new Set(bundles.map(({ module }) => module));
  const lost = bundles.map(({ module, exports }, index) => ({
    module,
    names: running[index]?.exports.filter(name => !exports.includes(name)) ?? [],
  }));
  if (lost.every(({ names }) => names.length === 0)) return [];
  const others = (await store.heads()).filter(({ module }) => !pushed.has(module));
  const callers = await Promise.all(others.map(head => runningBundle(store, head)));
  const all = [...bundles, ...callers.filter(caller => caller !== null)];
  return lost.flatMap(({ module, names }) => removedExportWarnings(all, module, names));
}

/** One warning for each export that is lost to others, with who they are. */
export function removedExportWarnings(callers: readonly Code[], module: string, names: readonly string[]): string[] {
  return names.flatMap(name => {
    const who = callers
      .filter(caller => caller.module !== module && namesImported(caller.code, module).has(name))
      .map(caller => caller.module);
    return who.length === 0
      ? []
      : [`${module} exports ${name} no more, which ${who.join(', ')} import${who.length === 1 ? 's' : ''}`];
  });
}

/** The names that a bundle's code uses of `hot:<module>`, as esbuild writes them: a variable, and its properties. */
export function namesImported(code: string, module: string): Set<string> {
  const imports = code.matchAll(/(?:var|const) ([\w$]+) = (?:__toESM\()?require\("hot:([^"]+)"\)/g);
  const variables = [...imports].flatMap(([, variable = '', from]) => (from === module ? [variable] : []));
  return new Set(
    variables.flatMap(variable => {
      const uses = code.matchAll(new RegExp(`(?<![\\w$.])${variable.replaceAll('$', '\\$')}\\.([\\w$]+)`, 'g'));
      return [...uses].map(([, name = '']) => name);
    }),
  );
}

async function read(store: StreamStore, module: string, revision: string): Promise<Bundle | null> {
  try {
    const packed = await store.bundle(module, revision);
    return packed === null ? null : decodeBundle(packed);
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}
