/** What one push to a whole fleet took. */
export interface PushSample {
  /** From the order to push until the last node's answer is there (milliseconds). */
  readonly ms: number;
  /** From the first node's switch to the last one's, on the machine's one clock (milliseconds); null where nothing switches. */
  readonly skew: number | null;
  /** Parts of `ms` that are known, in their order (milliseconds). */
  readonly phases: Readonly<Record<string, number>>;
}

/** A way to have new code on every node of a fleet of containers, measured beside others. */
export interface Contender extends AsyncDisposable {
  /** What it is called in tables. */
  readonly name: string;
  /**
   * Makes a new version of a module with so many bytes of loadable code, which is not timed, and has every node run it.
   *
   * @throws Error when a node does not answer, or refuses.
   */
  push(bytes: number): Promise<PushSample>;
}
