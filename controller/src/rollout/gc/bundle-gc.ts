import { revisionsOf } from '../../../../protocol/head.ts';
import type { Logger } from '../../../../shared/logger.ts';
import type { BundleName } from '../../store/bundles.ts';
import type { StreamStore } from '../../store/stream-store.ts';

/** A bundle without a head may belong to a push in progress. Its head is written within this interval (milliseconds). */
const GC_INTERVAL = 60_000;

/** Removes the bundles that no kept head named at two collections in a row, until it is disposed. */
export function startBundleGc(store: StreamStore, log: Logger): Disposable {
  let unnamedBefore = new Set<string>();

  const collect = async (): Promise<void> => {
    try {
      const unnamed = new Set<string>();
      const named = new Map<string, Set<string>>();
      for (const bundle of await store.bundles()) {
        const { module, revision } = bundle;
        if (!named.has(module)) named.set(module, await namedRevisions(store, module));
        if (named.get(module)?.has(revision)) continue;
        const key = `${module}@${revision}`;
        if (unnamedBefore.has(key)) await remove(store, bundle);
        else unnamed.add(key);
      }
      unnamedBefore = unnamed;
    } catch (error) {
      log.warn({ err: error }, 'old bundles could not be removed; trying again');
    }
  };
  const timer = setInterval(() => void collect(), GC_INTERVAL);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Removes a bundle, and writes it again when a head has named it meanwhile. */
async function remove(store: StreamStore, bundle: BundleName): Promise<void> {
  const packed = await store.bundle(bundle);
  await store.removeBundle(bundle);
  const isNamed = (await namedRevisions(store, bundle.module)).has(bundle.revision);
  if (isNamed && packed !== null) await store.putBundle(bundle, packed);
}

async function namedRevisions(store: StreamStore, module: string): Promise<Set<string>> {
  return new Set((await store.history(module)).flatMap(revisionsOf));
}
