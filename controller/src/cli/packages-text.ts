import type { Head } from '../../../protocol/head.ts';
import { listed } from './format.ts';

/**
 * The packages that modules use, a line for each set: `packages of web: hono 4.13.19 (0.3 MB)`. The size is that of the packed
 * archives, with what they reach.
 */
export function packagesText(heads: readonly Pick<Head, 'module' | 'manifest' | 'canary'>[]): string[] {
  const sets = new Map<string, { readonly modules: string[]; readonly versions: string[]; readonly bytes: number }>();
  for (const { module, manifest, canary } of heads) {
    for (const packages of [manifest?.packages, canary?.manifest?.packages]) {
      if (packages === undefined) continue;
      const { hash, bytes } = packages;
      const versions = Object.entries(packages.versions).map(([name, version]) => `${name} ${version}`.trim());
      const set = sets.get(hash) ?? { modules: [], versions, bytes };
      if (!set.modules.includes(module)) set.modules.push(module);
      sets.set(hash, set);
    }
  }
  return [...sets.values()].map(({ modules, versions, bytes }) => {
    const size = `${(bytes / 1e6).toFixed(1)} MB`;
    return `packages of ${listed(modules)}: ${listed(versions)} (${size})`;
  });
}
