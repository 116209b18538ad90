/** The nodes are in so many small maps. */
const PARTS = 256;

/**
 * Nodes by name, in no order. It never changes: a change gives another one, and copies one of many small maps. So a heartbeat takes
 * the same time in a fleet of any size.
 */
export class NodeMap<V> {
  static readonly #empty: readonly ReadonlyMap<string, never>[] = Array.from(
    { length: PARTS },
    () => new Map<string, never>(),
  );

  readonly size: number;
  readonly #parts: readonly ReadonlyMap<string, V>[];

  private constructor(parts: readonly ReadonlyMap<string, V>[], size: number) {
    this.#parts = parts;
    this.size = size;
  }

  static empty<V>(): NodeMap<V> {
    return new NodeMap<V>(NodeMap.#empty, 0);
  }

  get(name: string): V | undefined {
    return this.#parts[partOf(name)]?.get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  *[Symbol.iterator](): Generator<readonly [string, V], void, undefined> {
    for (const part of this.#parts) yield* part;
  }

  *keys(): Generator<string, void, undefined> {
    for (const part of this.#parts) yield* part.keys();
  }

  *values(): Generator<V, void, undefined> {
    for (const part of this.#parts) yield* part.values();
  }

  /** With another value of a name. */
  with(name: string, value: V): NodeMap<V> {
    const index = partOf(name);
    const part = this.#parts[index] ?? new Map<string, V>();
    return new NodeMap(
      this.#parts.with(index, new Map(part).set(name, value)),
      part.has(name) ? this.size : this.size + 1,
    );
  }

  /** With what a function makes of each value; null leaves it out. The same map when it makes nothing else of any. */
  map(change: (value: V, name: string) => V | null): NodeMap<V> {
    let size = 0;
    let isChanged = false;
    const parts = this.#parts.map(part => {
      const changes: (readonly [string, V | null])[] = [];
      for (const [name, value] of part) {
        const after = change(value, name);
        if (after !== value) changes.push([name, after]);
      }
      const changed = changes.length === 0 ? part : withChanges(part, changes);
      isChanged ||= changed !== part;
      size += changed.size;
      return changed;
    });
    return isChanged ? new NodeMap(parts, size) : this;
  }
}

function withChanges<V>(
  part: ReadonlyMap<string, V>,
  changes: readonly (readonly [string, V | null])[],
): Map<string, V> {
  const changed = new Map(part);
  for (const [name, value] of changes) {
    if (value === null) changed.delete(name);
    else changed.set(name, value);
  }
  return changed;
}

function partOf(name: string): number {
  let hash = 0;
  for (let index = 0; index < name.length; index += 1) hash = (Math.imul(hash, 31) + name.charCodeAt(index)) | 0;
  return (hash >>> 0) % PARTS;
}
