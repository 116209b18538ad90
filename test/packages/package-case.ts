/** What comes of a package in a hot module. */
export type Outcome =
  /** It works. `value` is what `check()` returns. */
  | { readonly status: 'works'; readonly value: unknown }
  /** It works with a setting, which this fixture has. */
  | { readonly status: 'works with a setting'; readonly value: unknown; readonly setting: string }
  /** A push refuses it before anything is sent, with this text in the reason. */
  | { readonly status: 'refused'; readonly reason: string; readonly instead: string };

/** One module of the folder `modules/`, and the package that it is about. */
export interface PackageCase {
  /** The module is `modules/<module>.ts`. */
  readonly module: string;
  /** The name of the npm package. */
  readonly package: string;
  /** What the function `check()` of the module does with the package, for docs/packages.md. */
  readonly does: string;
  readonly outcome: Outcome;
}

/** A module whose name is that of the package, or a module and the package, as in `['hapi', '@hapi/hapi']`. */
type Names = string | readonly [module: string, packageName: string];

/** @param value what `check()` returns in plain Node.js. */
export function works(names: Names, does: string, value: unknown): PackageCase {
  return { ...named(names), does, outcome: { status: 'works', value } };
}

export function worksWith(setting: string, names: Names, does: string, value: unknown): PackageCase {
  return { ...named(names), does, outcome: { status: 'works with a setting', value, setting } };
}

/** @param instead what a user can do instead. */
export function refused(names: Names, reason: string, instead: string): PackageCase {
  return { ...named(names), does: '', outcome: { status: 'refused', reason, instead } };
}

function named(names: Names): { readonly module: string; readonly package: string } {
  return typeof names === 'string' ? { module: names, package: names } : { module: names[0], package: names[1] };
}
