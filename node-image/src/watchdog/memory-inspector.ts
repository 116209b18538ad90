import { Session } from 'node:inspector/promises';

import { holdersOf, type Holder } from './holders.ts';

/** The global function of the main thread that measures its live memory; see process/live-memory.ts. */
export const LIVE_MEMORY_ABOVE = Symbol.for('hotcast.liveMemoryAbove');

/**
 * Measures the memory of the main thread from another thread, with V8's inspector. The main thread answers also while it
 * runs an endless loop, but not while it runs native code. (`HeapProfiler.collectGarbage` gets no answer in a loop.)
 */
export class MemoryInspector {
  /** Most nodes never need it. */
  #connected: Session | null = null;

  /** Live memory when it is above `limitMb`, after a garbage collection; null otherwise. */
  async liveMemoryAbove(limitMb: number): Promise<number | null> {
    const expression = `globalThis[Symbol.for('${LIVE_MEMORY_ABOVE.description}')]?.(${limitMb})`;
    const { result } = await this.#session.post('Runtime.evaluate', { expression });
    return typeof result.value === 'number' ? result.value : null;
  }

  /** Samples allocations from now on, one in so many bytes. */
  async startSampling(intervalBytes: number): Promise<void> {
    await this.#session.post('HeapProfiler.startSampling', { samplingInterval: intervalBytes });
  }

  async stopSampling(): Promise<void> {
    await this.#session.post('HeapProfiler.stopSampling');
  }

  /** What was allocated since the sampling started and is still live, by the module whose code allocated it. */
  async holders(): Promise<Holder[]> {
    const { profile } = await this.#session.post('HeapProfiler.getSamplingProfile');
    return holdersOf(profile.head);
  }
  get #session(): Session {
    if (this.#connected === null) {
      this.#connected = new Session();
      this.#connected.connectToMainThread();
    }
    return this.#connected;
  }
}
