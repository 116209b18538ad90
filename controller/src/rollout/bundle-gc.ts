import { revisionsOf } from '../../../protocol/head.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { BundleName } from '../store/bundles.ts';
import type { StreamStore } from '../store/stream-store.ts';

/** A bundle without a head may belong to a push in progress. Its head is written within this interval (milliseconds). */
const GC_INTERVAL = 60_000;

/** Removes bundles that no kept head names. */
export class BundleGc implements Disposable {
  readonly #store: StreamStore;
  readonly #log: Logger;
  /** The bundles that no head named at the last collection. */
  #unnamed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(store: StreamStore, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#collect(), GC_INTERVAL);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** Removes the bundles that no kept head named at two collections in a row. */
  async #collect(): Promise<void> {
    try {
      const unnamed = new Set<string>();
      const named = new Map<string, Set<string>>();
      for (const bundle of await this.#store.bundles()) {
        const { module, revision } = bundle;
        if (!named.has(module)) named.set(module, await this.#named(module));
        if (named.get(module)?.has(revision)) continue;
        const key = `${module}@${revision}`;
        if (this.#unnamed.has(key)) await this.#remove(bundle);
        else unnamed.add(key);
      }
      this.#unnamed = unnamed;
    } catch (error) {
      this.#log.warn({ err: error }, 'old bundles could not be removed; trying again');
    }
  }

  /** Removes a bundle, and writes it again when a head has named it meanwhile. */
  async #remove(bundle: BundleName): Promise<void> {
    const packed = await this.#store.bundle(bundle);
    await this.#store.removeBundle(bundle);
    const isNamed = (await this.#named(bundle.module)).has(bundle.revision);
    if (isNamed && packed !== null) await this.#store.putBundle(bundle, packed);
  }

  async #named(module: string): Promise<Set<string>> {
    return new Set((await this.#store.history(module)).flatMap(revisionsOf));
  }
}
