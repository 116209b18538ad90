/** What Hotcast gives a module as `import.meta.hot`; the names are those of Vite, Bun and webpack. */
export interface Hot {
  /**
   * The module's state: it belongs to the module, not to a version, and survives every swap. {@link dataOf} gives it
   * with its type.
   *
   * A module that changes the shape of its data exports a `codeChange`, see {@link CodeChange}.
   */
  readonly data: Record<string, unknown>;

  /**
   * Gives {@link data} with its type, and puts what is missing in it.
   *
   * @example
   * const data = import.meta.hot.dataOf({ count: 0 });
   * export const increment = (): number => (data.count += 1);
   *
   * @param initial values for the keys that `data` does not have yet; what it has stays.
   * @returns the same object as `data`.
   */
  readonly dataOf: <Data extends object>(initial: Data) => Data;

  /** Aborted when this version is purged: hand it to whatever the module opens. */
  readonly signal: AbortSignal;

  /**
   * Has a function called when this version is purged, and waited for, five seconds at most. It gets the module's data.
   *
   * It is not needed for timers and for listeners on `process`: they end with the version.
   */
  readonly dispose: (callback: (data: Record<string, unknown>) => unknown) => void;

  /**
   * Has a function called when the module is removed (`hotcast remove`), not when this version is replaced: after
   * `dispose`, and with the same rules.
   */
  readonly prune: (callback: (data: Record<string, unknown>) => unknown) => void;
}

/**
 * The type of a module's `codeChange`: it turns the data of the version before into that of this one.
 *
 * It is called when this version replaces another one, also on the way back by a rollback, after all of the module has
 * run. It gets a deep copy of the data, and the revision before; what it returns, a plain object, is the new data. When
 * it throws, this version is refused, and the one before goes on with its data.
 *
 * @example
 * export const codeChange = (old => ({ total: old.count })) satisfies CodeChange<{ count: number }, { total: number }>;
 */
export type CodeChange<Old extends object, New extends object> = (data: Old, from: string) => New;
