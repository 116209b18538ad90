/** What a file of a package sees as `module`. */
export interface FileModule {
  exports: unknown;
  readonly id: string;
  readonly filename: string;
  readonly path: string;
  loaded: boolean;
  /** Not the file that requires it, which another module can have. Files look whether they were started as a program. */
  readonly parent: object;
  readonly children: readonly never[];
  readonly paths: readonly string[];
  readonly require: PackageRequire;
}

/** A file of a package that was evaluated, or is being evaluated. */
export interface FileRecord {
  readonly module: Pick<FileModule, 'exports'>;
  /** Whether it is an ES module. */
  readonly isEsm: boolean;
}

/** `require` in a file of a package, and in a module. */
export interface PackageRequire {
  (specifier: string): unknown;
  /** What `import` gets: a namespace. */
  readonly import: (specifier: string) => object;
  readonly resolve: (specifier: string, options?: { readonly paths?: readonly string[] }) => string;
  readonly cache: object;
  readonly main: undefined;
  readonly extensions: object;
}
