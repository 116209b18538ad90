import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach } from 'vitest';

import type { PackageSource } from '../../../../node-image/src/packages/fetch-packages.ts';
import { ExternalPackages } from '../../../../node-image/src/packages/external-packages.ts';
import { PackageFolder } from '../../../../node-image/src/packages/package-folder.ts';
import { Packages, type ReadySet } from '../../../../node-image/src/packages/packages.ts';
import { ScopedResources } from '../../../../node-image/src/sandbox/scoped-resources.ts';
import type { Bundle } from '../../../../protocol/bundle.ts';
import { recordingLog } from '../../fixtures.ts';
import { bundleWith, FixtureStream, type Installed } from './package-set.ts';

/** Makes nodes with packages in temporary folders. */
export function packageNodes() {
  const folders: string[] = [];
  const opened: Disposable[] = [];
  afterEach(() => {
    for (const each of opened.splice(0)) each[Symbol.dispose]();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  const node = (folder = mkdtempSync(join(tmpdir(), 'packages-'))) => {
    folders.push(folder);
    const log = recordingLog();
    const errors: unknown[] = [];
    const resources = new ScopedResources();
    const onError = (error: unknown): void => void errors.push(error);
    const externalDir = join(folder, 'external');
    const external = new ExternalPackages(externalDir);
    const packages = new Packages({ folder: new PackageFolder(folder), external, resources, log, onError });
    opened.push(packages, resources);
    return { folder, externalDir, log, errors, resources, packages };
  };
  return {
    node,
    /** What a module gets that finds some packages. @throws why they are refused */
    requireOf: async (installed: Installed, roots?: readonly string[]) => {
      const stream = new FixtureStream();
      const { packages, ...rest } = node();
      const hash = stream.add(installed, roots);
      const set = await readySet(packages, stream, bundleWith(hash));
      return { ...rest, packages, stream, hash, require: set.requireFor('demo') };
    },
  };
}

export async function readySet(packages: Packages, stream: PackageSource, bundle: Bundle): Promise<ReadySet> {
  const readiness = await packages.prepare(bundle, stream);
  if (readiness.status === 'failed') throw new Error(readiness.detail);
  if (readiness.set === null) throw new Error('no set');
  return readiness.set;
}
