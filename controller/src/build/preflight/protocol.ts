/** Why a module is refused: it would not load on any node, or must not be loaded there. */
export type PreflightReason =
  /** It throws while it loads. */
  | 'throws'
  /** It does not load within `PREFLIGHT_TIMEOUT_MS`. */
  | 'time'
  /** It takes more than `PREFLIGHT_MEMORY_MB`. */
  | 'memory'
  /** Its process ends while it loads, for another reason than these. */
  | 'crash'
  /** It ends the process. */
  | 'exit'
  /** It changes the working directory, which all modules share. */
  | 'chdir'
  /** It changes built-in classes or globals, which all modules share. */
  | 'intrinsics'
  /** It loads a native addon, which can't be loaded again. */
  | 'native_addon'
  /** It needs a built-in module that this version of Node.js does not have. */
  | 'no_builtin'
  /** An export does not exist after it has loaded. */
  | 'no_export';

/** `stack` is that of the compiled code. */
export interface Refusal {
  readonly status: 'refused';
  readonly reason: PreflightReason;
  readonly detail: string;
  readonly stack: string | null;
}

/** A module that passed. */
export interface ModulePassed {
  readonly status: 'passed';
  readonly warnings: readonly string[];
  /** V8's code cache in base 64; null when the module has no script. */
  readonly cache: string | null;
  /** How much live memory it takes, in bytes. */
  readonly memoryBytes: number;
}

/** The result of one module. */
export type ModuleResult = ModulePassed | Refusal;

/** A compiled module under test. `script` is its name in stacks. */
export interface ModuleUnderTest {
  readonly module: string;
  readonly script: string;
  readonly code: string;
  readonly exports: readonly string[];
}

/** The one request to the preflight's process. */
export interface PreflightRequest {
  /** A secret that every reply carries. Module code can't read it. */
  readonly token: string;
  readonly modules: readonly ModuleUnderTest[];
}

/** The reply for one module. Replies come in the order of the modules, and end with the first refusal. */
export interface PreflightReply {
  readonly token: string;
  readonly result: ModuleResult;
}

/** The limits of a request: the time for each of its modules, the memory for all of them together. */
export interface PreflightLimits {
  readonly timeoutMs: number;
  readonly memoryMb: number;
}
