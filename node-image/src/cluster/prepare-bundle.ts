import type { Bundle } from '../../../protocol/bundle.ts';
import { RejectedError } from '../admission/verifier.ts';
import type { CodeServer } from '../modules/code-server.ts';
import { type LoadResult, refused } from '../modules/load-result.ts';
import type { PackageSource } from '../packages/fetch-packages.ts';
import type { Packages } from '../packages/packages.ts';

/** Prepares a bundle; immediately when it uses no packages. @throws Error when the stream can't be read */
export type PrepareBundle = (bundle: Bundle) => LoadResult | Promise<LoadResult>;

/** Prepares bundles: first their packages, then the code. */
export function bundlePreparer(codeServer: CodeServer, packages: Packages, source: PackageSource): PrepareBundle {
  const prepareBoth = async (bundle: Bundle): Promise<LoadResult> => {
    try {
      const readiness = await packages.prepare(bundle, source);
      if (readiness.status === 'failed') return refused(readiness.reason, readiness.detail);
      return codeServer.prepare(bundle, readiness.set);
    } catch (error) {
      // A valid record can replace it.
      if (error instanceof RejectedError) return refused('nofile', error.message);
      throw error;
    }
  };
  return bundle => (bundle.packages === undefined ? codeServer.prepare(bundle) : prepareBoth(bundle));
}
