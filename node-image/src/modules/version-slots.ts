/**
 * The two slots of a module, as in OTP's code server: new calls get current; what runs on old runs to its end.
 */
export interface Slots<V> {
  readonly current: V | null;
  readonly old: V | null;
}

export function emptySlots<V>(): Slots<V> {
  return { current: null, old: null };
}

/** Loads `next`: it becomes current and current becomes old. What was old is let go, unless there was no current. */
export function load<V>(slots: Slots<V>, next: V): Slots<V> {
  return { current: next, old: slots.current ?? slots.old };
}

/** Removes the module: new calls find nothing, calls on current run to their end. */
export function remove<V>(slots: Slots<V>): Slots<V> {
  return { current: null, old: slots.current ?? slots.old };
}

/** Lets go of old (OTP: `purge`). */
export function purge<V>(slots: Slots<V>): Slots<V> {
  return { current: slots.current, old: null };
}
