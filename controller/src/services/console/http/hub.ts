/** What is on the page: the HTML of each element that changes, by its id, and the ids in each list, in their order. */
export interface Regions {
  readonly elements: ReadonlyMap<string, string>;
  readonly lists: ReadonlyMap<string, readonly string[]>;
}

/** What has changed on the page since some version. */
export interface Patch {
  readonly version: number;
  readonly elements: Readonly<Record<string, string>>;
  readonly lists: Readonly<Record<string, readonly string[]>>;
}

/** Knows what is on the page now, and when each part of it has changed. Every reader comes at its own pace, and misses nothing. */
export class Hub {
  #elements = new Map<string, { readonly html: string; readonly version: number }>();
  #lists = new Map<string, { readonly ids: readonly string[]; readonly version: number }>();
  #version = 1;
  readonly #waiting = new Set<() => void>();
  #watching = 0;

  get version(): number {
    return this.#version;
  }

  /** Whether anybody follows the page. */
  get isWatched(): boolean {
    return this.#watching > 0;
  }

  /** Somebody follows the page, until the result is called. */
  watch(): () => void {
    this.#watching += 1;
    return () => void (this.#watching -= 1);
  }

  /** Takes the page as it is now. */
  update({ elements, lists }: Regions): void {
    const version = this.#version + 1;
    let isChanged = false;
    const kept = new Map<string, { readonly html: string; readonly version: number }>();
    for (const [id, html] of elements) {
      const known = this.#elements.get(id);
      if (known?.html === html) kept.set(id, known);
      else {
        kept.set(id, { html, version });
        isChanged = true;
      }
    }
    this.#elements = kept;
    for (const [name, ids] of lists) {
      if (isSame(this.#lists.get(name)?.ids, ids)) continue;
      this.#lists.set(name, { ids, version });
      isChanged = true;
    }
    if (!isChanged) return;
    this.#version = version;
    this.wake();
  }

  /** Wakes all who wait. */
  wake(): void {
    for (const done of this.#waiting) done();
  }

  /** What has changed since a version; null: nothing. */
  since(since: number): Patch | null {
    if (since === this.#version) return null;
    const elements = [...this.#elements].filter(([, { version }]) => version > since);
    const lists = [...this.#lists].filter(([, { version }]) => version > since);
    return {
      version: this.#version,
      elements: Object.fromEntries(elements.map(([id, { html }]) => [id, html])),
      lists: Object.fromEntries(lists.map(([name, { ids }]) => [name, ids])),
    };
  }

  /** Resolves at the next change, after `ms`, or when `signal` is aborted. */
  async next(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>(resolve => {
      const timer = setTimeout(done, ms);
      const waiting = this.#waiting;
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        waiting.delete(done);
        resolve();
      }
      signal.addEventListener('abort', done, { once: true });
      waiting.add(done);
    });
  }
}

function isSame(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a !== undefined && a.length === b.length && a.every((id, index) => id === b[index]);
}
