import type { AnyModules, CallArguments, CallPath, CallValue, ExportsOf } from './modules.ts';

/** What a version of a module is made from. An empty object, or nothing: its file in the modules folder, as it is now. */
export interface VersionSource {
  /** TypeScript, compiled as if it were in the module's file. */
  readonly source?: string;
  /** A file whose text is `source`. */
  readonly file?: string;
  /** Gets the text of the module's file, and returns `source`. */
  readonly edit?: (source: string) => string;
  /** The exports themselves: a stand-in for a module that another one imports. */
  readonly exports?: object;
}

/** What the first version of a module is made from. */
export interface FirstVersion extends VersionSource {
  /** What an earlier version left in `import.meta.hot.data`. The version's `codeChange` converts it. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A line that modules have printed, or an error of a timer or listener of theirs. */
export interface RuntimeLogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly module: string;
  readonly text: string;
}

/** A version of a module that is loaded. */
export interface LoadedVersion {
  /** The first 12 digits. */
  readonly revision: string;
  /** `draining`: calls that have started on it still run. */
  readonly state: 'current' | 'draining';
}

export interface RuntimeOptions {
  /** The modules folder, or the texts of modules by their names. Default: that of the plugin, else `./modules`. */
  readonly modules?: string | Readonly<Record<string, string>>;
  /** Whether what modules print is printed in the test too. Default: true. */
  readonly print?: boolean;
}

/**
 * The modules of one node, in the process of the test: its compiler, its versions, its `import.meta.hot`, its `hot:` imports and
 * its npm packages, without network and containers. Disposing of it is the stop of the node.
 */
export interface TestRuntime<Modules = AnyModules> extends AsyncDisposable {
  /**
   * Loads a module, and the modules that it imports as `hot:<module>` and that are not loaded yet. Does nothing if it is loaded
   * and `version` is left out.
   *
   * @returns its exports: at each use those of the current version, as an import of `hot:<module>` gives them.
   * @throws Error with file, line and caret when it does not compile, or with the reason why the node refuses it.
   */
  load<Name extends keyof Modules & string>(name: Name, version?: FirstVersion): Promise<ExportsOf<Modules, Name>>;
  /**
   * Replaces the current version, as a push does: with `codeChange`, and with the end of the version before as soon as no call
   * runs on it. Resolves when the `dispose` callbacks have run, if it has ended.
   *
   * @throws Error as {@link load}. The current version then goes on with its data.
   */
  swap<Name extends keyof Modules & string>(name: Name, version?: VersionSource): Promise<ExportsOf<Modules, Name>>;
  /** Removes a module, as `hotcast remove` does: with the `prune` callbacks. Its data stays. */
  remove(name: keyof Modules & string): Promise<void>;
  /**
   * Calls a function as a node does for `hotcast call`: it runs to its end on the version on which it started, which drains
   * meanwhile. The value is a copy, as it comes over the network.
   *
   * @throws what the function throws.
   */
  call<Path extends CallPath<Modules>>(
    path: Path,
    ...args: CallArguments<Modules, Path>
  ): Promise<CallValue<Modules, Path>>;
  /** `import.meta.hot.data` of a module, which lives on from version to version. */
  data(name: keyof Modules & string): Record<string, unknown>;
  /** The versions of a module, the current one first. */
  versions(name: keyof Modules & string): LoadedVersion[];
  /** What modules have printed, and the errors that nobody has caught. */
  readonly log: readonly RuntimeLogLine[];
}
