/** The type of `import.meta.hot` in a module. The names are those of Vite, Bun and webpack. */
export interface Hot {
  /**
   * The state of the module. It belongs to the module, not to a version, and survives every swap. {@link dataOf} returns
   * it with a type.
   *
   * A module that changes the shape of its data exports a function `codeChange`, see {@link CodeChange}.
   */
  readonly data: Record<string, unknown>;

  /**
   * Returns {@link data} with a type, and adds the keys that are missing.
   *
   * @example
   * const data = import.meta.hot.dataOf({ count: 0 });
   * export const increment = (): number => (data.count += 1);
   *
   * @param initial values for the keys that `data` does not have yet. Other keys do not change.
   * @returns the same object as `data`.
   */
  readonly dataOf: <Data extends object>(initial: Data) => Data;

  /**
   * Aborted when this version is purged, or when the node stops, after its calls in flight. Pass it to everything that the
   * module opens.
   */
  readonly signal: AbortSignal;

  /**
   * Registers a callback for the end of this version: its purge, or the stop of the node, after the calls in flight. It gets
   * the module's data. If it returns a promise, the timeout is 5 seconds; when the node stops, the time that is left of
   * `STOP_TIMEOUT_MS`.
   *
   * Timers and listeners on `process` do not need it: they end with the version.
   */
  readonly dispose: (callback: (data: Record<string, unknown>) => unknown) => void;

  /**
   * Registers a callback for the removal of the module (`hotcast remove`). It is not called when this version is replaced or
   * the node stops. It is called after the callbacks of `dispose`, with the same timeout.
   */
  readonly prune: (callback: (data: Record<string, unknown>) => unknown) => void;

  /**
   * Makes a value once for the module. The next versions get the same value. Use it for what a package keeps although the version
   * ends: metrics, connection pools, interceptors.
   *
   * @example
   * const requests = import.meta.hot.keep('requests', () => new Counter({ name: 'requests', help: 'Requests' }));
   * const pool = import.meta.hot.keep('pool', () => new Pool({ max: 10 }), pool => pool.end());
   *
   * @param key names the value within the module. To make it anew after a change of `make`, change the key.
   * @param make makes the value. If it returns a promise that is rejected, the next version makes the value again. What it opens
   *   belongs to the module and not to this version, except timers and listeners of the module's own code.
   * @param close closes the value when the module was removed or the node stops, after the callbacks of `dispose` and `prune`. A
   *   value that a version made whose load failed is closed immediately.
   */
  readonly keep: <Value>(key: string, make: () => Value, close?: (value: Value) => unknown) => Value;

  /**
   * The span of whoever made the call that runs, as a header `traceparent` of the W3C, to continue his trace. Undefined if he gave
   * none. A request has its own header.
   *
   * @example
   * const caller = propagation.extract(context.active(), { traceparent: import.meta.hot.traceparent });
   * const span = tracer.startSpan('order', {}, caller);
   */
  readonly traceparent: string | undefined;
}

/**
 * The type of a module's `codeChange`, which converts the data of the previous version.
 *
 * It is called when this version replaces another one, also in a rollback, after the top level of the module has run. Its
 * arguments are a copy of the data and the previous revision. It returns the new data, a plain object. When it throws, this
 * version is refused, and the previous version continues with its data.
 *
 * Plain data is copied deeply. Functions and instances of classes are handed over as they are. New calls of the module wait
 * until the change is done, calls that run have up to 500 ms to return.
 *
 * A function of this type that is exported as `codeChangeInPlace` gets the data itself instead of a copy. When it throws, the
 * keys of the data are restored; what it has changed inside of their values stays changed.
 *
 * @example
 * export const codeChange = (old => ({ total: old.count })) satisfies CodeChange<{ count: number }, { total: number }>;
 */
export type CodeChange<Old extends object, New extends object> = (data: Old, from: string) => New;
