import type { Logger } from '../../../../shared/logger.ts';
import type { StreamStore } from '../../store/stream-store.ts';

/**
 * The interval of collections (milliseconds). What no head names may belong to a push in progress: nodes can take minutes to
 * fetch packages before its head is written.
 */
const GC_INTERVAL = 300_000;

/**
 * Removes package sets that no kept head names, and archives that no set names, both at two collections in a row, until it is
 * disposed.
 */
export function startPackagesGc(store: StreamStore, log: Logger): Disposable {
  let unnamedBefore = new Set<string>();

  /** Removes what was not named at the last collection either. @returns the rest of what is not named */
  const removeOld = async (
    unnamed: readonly string[],
    remove: (hash: string) => Promise<() => Promise<void>>,
    isNamed: (hash: string) => Promise<boolean>,
  ): Promise<string[]> => {
    const old = unnamed.filter(hash => unnamedBefore.has(hash));
    for (const hash of old) {
      const writeAgain = await remove(hash);
      // It can have been named meanwhile.
      if (await isNamed(hash)) await writeAgain();
    }
    return unnamed.filter(hash => !old.includes(hash));
  };

  const collect = async (): Promise<void> => {
    try {
      const named = await namedSets(store);
      const sets = (await store.packageSets()).filter(hash => !named.has(hash));
      const newSets = await removeOld(sets, store.removePackageSet, async hash => (await namedSets(store)).has(hash));
      const kept = await namedArchives(store);
      const archives = [...(await store.archives()).keys()].filter(hash => !kept.has(hash));
      const newArchives = await removeOld(archives, store.removeArchive, async hash =>
        (await namedArchives(store)).has(hash),
      );
      unnamedBefore = new Set([...newSets, ...newArchives]);
    } catch (error) {
      log.warn({ err: error }, 'old packages could not be removed; trying again');
    }
  };
  const timer = setInterval(() => void collect(), GC_INTERVAL);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** The hashes of the package sets that kept heads name. */
async function namedSets(store: StreamStore): Promise<Set<string>> {
  const named = new Set<string>();
  for (const { module } of await store.heads()) {
    for (const { manifest, canary } of await store.history(module)) {
      for (const packages of [manifest?.packages, canary?.manifest?.packages]) {
        if (packages !== undefined) named.add(packages.hash);
      }
    }
  }
  return named;
}

/** The hashes of the archives that package sets in the stream name. */
async function namedArchives(store: StreamStore): Promise<Set<string>> {
  const named = new Set<string>();
  for (const hash of await store.packageSets()) {
    for (const { archive } of (await store.packageSet(hash))?.instances ?? []) named.add(archive);
  }
  return named;
}
