import { UsageError } from '../../../../protocol/errors.ts';
import type { Externals } from './package-set.ts';

/**
 * The external packages of a module with their versions.
 *
 * @param found those of the module and of its packages, as they are installed where each of them looks.
 * @throws UsageError when one is needed in two versions: the nodes' image has one.
 */
export function oneVersionEach(module: string, found: Iterable<readonly [name: string, version: string]>): Externals {
  const versions = new Map<string, string>();
  for (const [name, version] of found) {
    const other = versions.get(name) ?? version;
    if (other !== version) {
      throw new UsageError(
        `${module} needs ${name} ${other} and ${version}, but ${name} is external, and the nodes' image has one version of it; ` +
          'nothing was sent: install one version for all packages, or remove it from external in hotcast.config.ts',
      );
    }
    versions.set(name, version);
  }
  return versions;
}
