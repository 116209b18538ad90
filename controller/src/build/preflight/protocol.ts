/** Why a module would not load on any node, or must not be loaded there. */
export type PreflightReason =
  /** It throws while it loads. */
  | 'throws'
  /** It does not end within `PREFLIGHT_MAY_TAKE`. */
  | 'time'
  /** It takes more than `PREFLIGHT_MEMORY`. */
  | 'memory'
  /** Its process ends while it loads, and neither of these is why. */
  | 'crash'
  /** It ends the process. */
  | 'exit'
  /** It changes the working directory, which all modules share. */
  | 'chdir'
  /** It changes built-in classes or globals, which all modules share. */
  | 'intrinsics'
  /** It loads a native addon, which can't be loaded again. */
  | 'native_addon'
  /** It needs a built-in module that this version of Node.js lacks. */
  | 'no_builtin'
  /** An export is not there when it has loaded. */
  | 'no_export';

/** A code cache on its way from one process to the other. */
export interface SentCache {
  readonly runtime: string;
  readonly base64: string;
}

/** What the preflight of one module found. `stack` is that of the compiled code. */
export type Verdict =
  | { readonly status: 'passed'; readonly warnings: readonly string[]; readonly cache: SentCache | null }
  | {
      readonly status: 'refused';
      readonly reason: PreflightReason;
      readonly detail: string;
      readonly stack: string | null;
    };

/** A compiled module for the preflight: `script` is how stacks call it. */
export interface Candidate {
  readonly script: string;
  readonly code: string;
  readonly exports: readonly string[];
}

/** What the preflight's process is asked, once. */
export interface Question {
  /** Only who was asked knows it; an answer carries it. Module code can't get at it. */
  readonly token: string;
  readonly candidates: readonly Candidate[];
}

/** One for each candidate, in their order. */
export interface Answer {
  readonly token: string;
  readonly verdict: Verdict;
}

export interface PreflightLimits {
  /** How long modules may take to load, milliseconds. */
  readonly timeoutMs: number;
  /** How much memory they may take for that, MB. */
  readonly memory: number;
}
