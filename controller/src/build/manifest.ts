import type { Bundle } from '../../../protocol/bundle.ts';
import type { Manifest } from '../../../protocol/head.ts';

/**
 * What a compiled module exports, which names it imports from other modules as `hot:<module>`, what it was built from, and
 * which packages it uses.
 */
export function manifestFrom(
  { exports, code }: Pick<Bundle, 'exports' | 'code'>,
  sources: Manifest['sources'] = {},
  packages?: Manifest['packages'],
): Manifest {
  const imports: Manifest['imports'] = {};
  // As esbuild writes it: a variable and its properties wherever a name is used, or a list of names that are passed on.
  for (const [, variable, module = '', names = '[]'] of code.matchAll(
    /(?:(?:var|const) ([\w$]+) = )?require\("hot:([^"]+)"(?:, (\[[^\]]*\]))?\)/g,
  )) {
    const used = variable === undefined ? (JSON.parse(names) as string[]) : propertiesOf(variable, code);
    imports[module] = [...new Set([...(imports[module] ?? []), ...used])];
  }
  return { exports, imports, sources, ...(packages === undefined ? {} : { packages }) };
}

function propertiesOf(variable: string, code: string): string[] {
  const uses = code.matchAll(new RegExp(`(?<![\\w$.])${variable.replaceAll('$', '\\$')}\\.([\\w$]+)`, 'g'));
  return [...uses].map(([, name = '']) => name);
}
