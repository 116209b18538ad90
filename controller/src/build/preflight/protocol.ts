import type { LeftOut } from '../packages/packages.ts';

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

/** A file of a package that a module requires, under this specifier. */
export interface PackageFile {
  readonly specifier: string;
  readonly file: string;
  /** The instance of the package: another one has other files. */
  readonly instance: string;
}

/** What a module uses of packages. */
export interface PackagesUnderTest {
  readonly imports: readonly PackageFile[];
  /** Native packages that are installed and left out. */
  readonly leftOut: readonly LeftOut[];
  /** The names of packages that only a node has. */
  readonly externals: readonly string[];
}

/** A compiled module under test. `script` is its name in stacks. */
export interface ModuleUnderTest {
  readonly module: string;
  readonly script: string;
  readonly code: string;
  readonly exports: readonly string[];
  readonly packages: PackagesUnderTest;
}

/** Comes before the request, if there is time: packages that it most likely needs. */
export interface PreloadRequest {
  readonly preload: PackagesUnderTest;
}

/** The one request to the preflight's process. */
export interface PreflightRequest {
  /** A secret that every reply carries. Module code can't read it. */
  readonly token: string;
  readonly modules: readonly ModuleUnderTest[];
}

/**
 * The first reply has no result: all packages have loaded. Then there is one for each module, in their order. They end with the
 * first refusal.
 */
export interface PreflightReply {
  readonly token: string;
  readonly result: ModuleResult | null;
}

/**
 * The limits of a request: the time for each of its modules, the memory for all of them together. Their packages have the same
 * limit of memory, and one of time of their own.
 */
export interface PreflightLimits {
  readonly timeoutMs: number;
  readonly memoryMb: number;
}
