/** The two slots of a module, as in OTP's code server: new calls use current, calls that run on old finish there. */
export interface Slots<V> {
  readonly current: V | null;
  readonly old: V | null;
}

export function emptySlots<V>(): Slots<V> {
  return { current: null, old: null };
}

/** Loads `next`: it becomes current, and current becomes old. When there was no current, old stays. */
export function load<V>(slots: Slots<V>, next: V): Slots<V> {
  return { current: next, old: slots.current ?? slots.old };
}

/** Removes the module: new calls find nothing, calls on current finish. */
export function remove<V>(slots: Slots<V>): Slots<V> {
  return { current: null, old: slots.current ?? slots.old };
}

/** Empties old (OTP: `purge`). */
export function purge<V>(slots: Slots<V>): Slots<V> {
  return { current: slots.current, old: null };
}
