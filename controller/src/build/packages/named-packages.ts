import { realpathSync } from 'node:fs';

import { UsageError } from '../../../../protocol/errors.ts';
import { readConfig } from '../language/hotcast-config.ts';
import type { SourceFiles } from '../sources/source-files.ts';
import type { UsedPackages } from './imported-packages.ts';
import { packageNameOf } from './package-folder.ts';
import type { Packages } from './packages.ts';

/**
 * Packs the packages of the modules folder that are named, for code that is no module.
 *
 * @param specifiers as the code has them: `hono/cors`. None are built into Node.js.
 * @throws UsageError when one of them is not installed, or is native.
 */
export async function packNamed(
  modulesDir: string,
  sources: Pick<SourceFiles, 'take'>,
  packages: Packages,
  specifiers: readonly string[],
): Promise<UsedPackages | null> {
  if (specifiers.length === 0) return null;
  const snapshot = await sources.take(false);
  const { external } = await readConfig(modulesDir, snapshot);
  const view = packages.at(snapshot, external);
  const roots = new Map<string, string>();
  const externals = new Map<string, string>();
  for (const name of new Set(specifiers.map(packageNameOf))) {
    const found = view.find(name, realpathSync(modulesDir));
    if (found === null) {
      throw new UsageError(`there is no package ${name}; install it: npm install --prefix modules ${name}`);
    }
    if (view.isExternal(name)) externals.set(name, view.versionIn(found.folder));
    else roots.set(name, found.folder);
  }
  return { ...(await view.pack('the line', roots, externals)), imports: [] };
}
