/**
 * The versions of a module. New calls use current. What started on an earlier version ends there: it drains, as in
 * Temporal's versioned workers. (OTP's code server has one such slot, `old`.)
 */
export interface Slots<V> {
  readonly current: V | null;
  /** The versions that drain, the oldest first. */
  readonly draining: readonly V[];
}

export function emptySlots<V>(): Slots<V> {
  return { current: null, draining: [] };
}

export function isEmpty<V>({ current, draining }: Slots<V>): boolean {
  return current === null && draining.length === 0;
}

/** Loads `next`: it becomes current, and the version that was current drains. */
export function load<V>({ current, draining }: Slots<V>, next: V | null): Slots<V> {
  return { current: next, draining: current === null ? draining : [...draining, current] };
}

/** Removes the module: new calls find nothing, and the version that was current drains. */
export function remove<V>(slots: Slots<V>): Slots<V> {
  return load(slots, null);
}

/** Closes the draining versions that are idle (OTP: `soft_purge`). */
export function closeIdle<V>({ current, draining }: Slots<V>, isIdle: (version: V) => boolean): Slots<V> {
  return { current, draining: draining.filter(version => !isIdle(version)) };
}

/** Closes the oldest draining versions, so that at most `max` are left. */
export function closeOldest<V>({ current, draining }: Slots<V>, max: number): Slots<V> {
  return { current, draining: draining.slice(Math.max(0, draining.length - max)) };
}

/** Closes all draining versions (OTP: `purge`). */
export function purge<V>({ current }: Slots<V>): Slots<V> {
  return { current, draining: [] };
}
