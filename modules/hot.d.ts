/** What Hotcast gives a module; the names are those of Vite, Bun and webpack. */
interface ImportMeta {
  readonly hot: {
    /**
     * Belongs to the module, not to a version: it survives every swap. A module that changes its shape exports
     * `codeChange(data, from)`: it gets a deep copy and the revision before, and returns the new data.
     */
    readonly data: Record<string, unknown>;
    /** Aborted when this version is purged: hand it to whatever the module opens. */
    readonly signal: AbortSignal;
    /** Has a function called, and waited for, when this version is purged. Its timers die with it anyway. */
    readonly dispose: (callback: (data: Record<string, unknown>) => unknown) => void;
  };
}
