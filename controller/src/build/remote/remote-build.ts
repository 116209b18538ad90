import { join } from 'node:path';

import { DecodeError, UsageError } from '../../../../protocol/errors.ts';
import type { AskOperator } from '../../api/operator-session.ts';
import type { StorableArchive } from '../../store/packages.ts';
import type { Build, BuiltBundle } from '../build.ts';
import { pack, refuseMuchCode, refuseTooLarge } from '../bundle-size.ts';
import type { UsedPackages } from '../packages/imported-packages.ts';
import { PreflightError } from '../preflight/preflight-error.ts';
import type { Preflight } from '../preflight/runner.ts';
import { archivesOf, manifestOf, receive, type ReceivedModule, type ReceivedPackages } from './received.ts';
import type { UnpackedPackages } from './unpacked-packages.ts';
import { decodeBuilt } from './wire.ts';

interface RemoteBuildParts {
  readonly preflight: Pick<Preflight, 'run'>;
  readonly unpacked: UnpackedPackages;
  /** The largest message that NATS takes now, in bytes. */
  readonly maxPayload: () => number;
  /** See {@link refuseMuchCode}. */
  readonly moduleMaxBytes: number;
}

/** Builds where the sources are: gives the build of an operator's session. */
export type BuildRemotely = (ask: AskOperator) => Build;

/**
 * Creates the function that has operators build modules. It verifies what they send, and does itself what decides about it: the preflight.
 *
 * @throws UsageError, SourceError, PreflightError; what `ask` rejects with.
 */
export function createRemoteBuild({
  preflight,
  unpacked,
  maxPayload,
  moduleMaxBytes,
}: RemoteBuildParts): BuildRemotely {
  return ask => async (modules, check, say) => {
    const received = receiveAll(await ask({ what: 'build', modules: [...modules], check }, say), modules);
    const fetch = (hash: string): Promise<Uint8Array> => ask({ what: 'archive', hash });
    const bundles = received.map(({ bundle }) => bundle);
    for (const bundle of bundles) {
      refuseMuchCode(bundle.module, bundle.code, moduleMaxBytes);
      refuseTooLarge(bundle, maxPayload());
    }
    const used = new Map<string, UsedPackages>();
    const known = new Map<string, StorableArchive>();
    for (const { bundle, packages } of received) {
      if (packages !== null)
        used.set(bundle.module, await usedBy(packages, unpacked, set => archivesOf(set, fetch, known)));
    }
    const preflighted = await preflight.run(bundles, used);
    if (preflighted instanceof PreflightError) throw preflighted;
    for (const message of preflighted.warnings) say({ type: 'warning', message });
    return preflighted.bundles.map((bundle, index): BuiltBundle => {
      const { sources = {}, groups = null } = received[index] ?? {};
      const packages = used.get(bundle.module) ?? null;
      return { bundle, packed: pack(bundle, maxPayload()), packages, sources, groups };
    });
  };
}

function receiveAll(bytes: Uint8Array, modules: readonly string[]): ReceivedModule[] {
  try {
    const sent = decodeBuilt(bytes);
    if (sent.length !== modules.length) throw new DecodeError(`it built ${sent.length} modules, not ${modules.length}`);
    return sent.map((each, index) => receive(each, modules[index] ?? ''));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new UsageError(`what the operator sent is not what was asked for: ${error.message}; nothing was sent`);
  }
}

/** Packages, as the preflight loads them and as they are stored. */
async function usedBy(
  packages: ReceivedPackages,
  unpacked: UnpackedPackages,
  archivesIn: (set: ReceivedPackages['set']) => StorableArchive[],
): Promise<UsedPackages> {
  const { hash, set, bytes, imports, leftOut } = packages;
  const archives = archivesIn(set);
  try {
    await unpacked.add(set, archives);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new UsageError(`what the operator sent is not what was asked for: ${error.message}; nothing was sent`);
  }
  const ids = new Map(Object.entries(set.roots).map(([root, index]) => [root, set.instances[index]?.id ?? '']));
  const files = imports.flatMap(({ specifier, path, instance }) => {
    const found = set.instances.find(({ id }) => id === instance);
    return found === undefined ? [] : [{ specifier, instance, file: join(unpacked.folderOf(found), path) }];
  });
  const externals = Object.keys(set.externals ?? {});
  return { hash, set: bytes, ids, archives, manifest: manifestOf(packages), leftOut, externals, imports: files };
}
