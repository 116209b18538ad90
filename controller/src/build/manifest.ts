import type { Bundle } from '../../../protocol/bundle.ts';
import type { Manifest } from '../../../protocol/head.ts';

/** What a compiled module exports, and which names it imports from other modules as `hot:<module>`. */
export function manifestFrom({ exports, code }: Pick<Bundle, 'exports' | 'code'>): Manifest {
  const imports: Manifest['imports'] = {};
  // As esbuild writes it: a variable, and its properties wherever a name is used.
  for (const [, variable = '', module = ''] of code.matchAll(
    /(?:var|const) ([\w$]+) = (?:__toESM\()?require\("hot:([^"]+)"\)/g,
  )) {
    const uses = code.matchAll(new RegExp(`(?<![\\w$.])${variable.replaceAll('$', '\\$')}\\.([\\w$]+)`, 'g'));
    imports[module] = [...new Set([...(imports[module] ?? []), ...[...uses].map(([, name = '']) => name)])];
  }
  return { exports, imports };
}
