/**
 * What Hotcast gives a module; the names are those of Vite, Bun and webpack.
 *
 * Another module is imported as `hot:<module>`: its types are those of `modules/<module>.ts`, and every use of an
 * imported name reaches its current version. While it is not loaded, a call throws `undef`.
 */
interface ImportMeta {
  readonly hot: {
    /**
     * Belongs to the module, not to a version: it survives every swap. Say what is in it where it is read:
     * `const data = import.meta.hot.data as { count?: number }`.
     *
     * A module that changes its shape exports `codeChange(data, from)`. It is called when this version replaces another
     * one, also on the way back by a rollback, after all of the module has run: until then `data` is empty. It gets a
     * deep copy of the data and the revision before, and returns the new data, a plain object. When it throws, this
     * version is refused, and the one before goes on with its data.
     */
    readonly data: Record<string, unknown>;
    /** Aborted when this version is purged: hand it to whatever the module opens. */
    readonly signal: AbortSignal;
    /**
     * Has a function called when this version is purged, and waited for, five seconds at most. It is not needed for
     * `setTimeout`, `setInterval` and `setImmediate`: what they started ends with the version.
     */
    readonly dispose: (callback: (data: Record<string, unknown>) => unknown) => void;
  };
}
