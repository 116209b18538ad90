import type { EventBatch } from '../../../../controller/src/store/audit.ts';
import { nodeEvent } from '../../../../protocol/history/event.ts';

/** An audit in memory. `isDown`: nothing can be read. `lagMs`: what is written is in the stream so much later. */
export class MemoryAudit {
  isDown = false;
  lagMs = 0;
  first = 1;
  last = 0;
  reads = 0;
  readonly #listeners = new Set<() => void>();

  write(): void {
    if (this.lagMs === 0) this.last += 1;
    else setTimeout(() => (this.last += 1), this.lagMs);
    for (const listener of this.#listeners) listener();
  }

  async after(position: number): Promise<EventBatch> {
    this.reads += 1;
    if (this.isDown) throw new Error('timeout');
    const positions = Array.from({ length: this.last }, (_, index) => index + 1)
      .filter(each => each > position && each >= this.first)
      .slice(0, 2);
    const change = { at: 1, node: 'fred', container: 'c1', startedAt: 1, change: 'started', detail: '' } as const;
    const events = positions.map(each => nodeEvent(each, change));
    const last = positions.at(-1) ?? position;
    return { events, position: last, missing: last - position - events.length };
  }

  async bounds() {
    return { first: this.first, last: this.last };
  }

  onWrite(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  get listening(): number {
    return this.#listeners.size;
  }
}
