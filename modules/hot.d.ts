/** What Hotcast gives a module; the names are those of Vite, Bun and webpack. */
interface ImportMeta {
  readonly hot: {
    /** Belongs to the module, not to a version: it survives every swap. */
    readonly data: Record<string, unknown>;
  };
}
