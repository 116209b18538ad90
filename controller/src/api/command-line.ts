/** A command line that this process runs for somebody elsewhere. `isTerminal`: whether its output is one. */
export interface CommandLine {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly isTerminal: boolean;
}

/** Who has typed a command line. */
export interface LineClient {
  /** Prints to the standard output, 1, or to the standard error, 2. */
  readonly print: (stream: 1 | 2, text: string) => void;
  /** Resolves when it has taken what was printed, or has gone. */
  readonly drained: () => Promise<void>;
  /** Is called before a command is sent: the signal that interrupts it. */
  readonly interruption: () => AbortSignal;
  /** Passes on the keys that are typed; without it, there are none. */
  readonly readKeys?: (onKey: (key: string) => void) => void;
  /** The operator who has typed it from afar: then that is the author, whatever the variables say. */
  readonly operator?: { readonly name: string; readonly session: string };
}

/** Runs a command line. Returns its exit status. */
export type RunLine = (line: CommandLine, client: LineClient) => Promise<number>;
