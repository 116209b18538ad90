/** What the measuring side tells the driver, which runs beside the simulated nodes: a line of JSON each. */
export type Order =
  /** Has so many nodes there, in all. Answered with {@link Grown}. */
  | { readonly type: 'grow'; readonly nodes: number }
  /** A complete push of a new version. Answered with {@link Pushed}. */
  | { readonly type: 'push'; readonly bytes: number }
  /** The bare round trip with the bytes of such a push. Answered with {@link Returned}. */
  | { readonly type: 'bare'; readonly bytes: number }
  /** What all processes have used up to now. Answered with {@link Usage}. */
  | { readonly type: 'usage' };

/** What comes back, a line of JSON each: the answer to the order, or why there is none. */
export type Reply<T> =
  { readonly status: 'done'; readonly answer: T } | { readonly status: 'failed'; readonly message: string };

export interface Grown {
  /** From the first new connection until all new nodes answer, in all processes (milliseconds). */
  readonly ms: number;
}

export interface Pushed {
  /** From the order to push until the controller has its result, without compile, type check and preflight (milliseconds). */
  readonly ms: number;
  /** Who should answer, what was prepared and what was committed, as the controller times them (milliseconds). */
  readonly ask: number;
  readonly prepare: number;
  readonly commit: number;
  /** From the first node's switch to the last one's (milliseconds). */
  readonly skew: number;
  /** The sealed bundle, as it went over the wire (bytes). */
  readonly sent: number;
}

export interface Returned {
  /** From the publish until every node's small answer is there (milliseconds). */
  readonly ms: number;
}

/** Of one process: processor time since it started (milliseconds), and what is resident now (bytes). */
export interface ProcessUsage {
  readonly cpu: number;
  readonly rss: number;
}

export interface Usage {
  readonly nats: ProcessUsage;
  readonly controller: ProcessUsage;
  /** Of each process that simulates nodes. */
  readonly nodes: readonly ProcessUsage[];
  /** What NATS took in and sent out since it started. */
  readonly wire: {
    readonly inBytes: number;
    readonly outBytes: number;
    readonly inMessages: number;
    readonly outMessages: number;
  };
}
