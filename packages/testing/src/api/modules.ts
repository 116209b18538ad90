/** Modules of which nothing is known: any name, any function. Better: `{ demo: typeof import('../modules/demo.ts') }`. */
// oxlint-disable-next-line typescript/no-explicit-any -- What is called in a test without types is not checked.
export type AnyModules = Record<string, any>;

// oxlint-disable-next-line typescript/no-explicit-any -- Any function fits.
type AnyFunction = (...args: any[]) => unknown;

type PathsIn<Exports, Prefix extends string> = {
  [Name in keyof Exports & string]: Exports[Name] extends AnyFunction
    ? `${Prefix}.${Name}`
    : Exports[Name] extends Readonly<Record<string, unknown>>
      ? MethodsIn<Exports[Name], `${Prefix}.${Name}`>
      : never;
}[keyof Exports & string];

type MethodsIn<Owner, Prefix extends string> = {
  [Name in keyof Owner & string]: Owner[Name] extends AnyFunction ? `${Prefix}.${Name}` : never;
}[keyof Owner & string];

type At<Owner, Path> = Path extends `${infer Name}.${infer Rest}`
  ? Name extends keyof Owner
    ? At<Owner[Name], Rest>
    : never
  : Path extends keyof Owner
    ? Owner[Path]
    : never;

/** The functions of modules: `'demo.add'`, `'demo.store.get'`. */
export type CallPath<Modules> = string extends keyof Modules
  ? string
  : { [Module in keyof Modules & string]: PathsIn<Modules[Module], Module> }[keyof Modules & string];

/** The arguments of a function. */
export type CallArguments<Modules, Path> = string extends keyof Modules
  ? readonly unknown[]
  : At<Modules, Path> extends (...args: infer Args) => unknown
    ? Args
    : never;

/** What a call of a function gives: the items of a stream as an array, of a promise its value. */
export type CallValue<Modules, Path> = string extends keyof Modules
  ? unknown
  : At<Modules, Path> extends (...args: never[]) => infer Value
    ? Received<Awaited<Value>>
    : never;

type Received<Value> =
  Value extends AsyncIterable<infer Item>
    ? Item[]
    : Value extends Generator<infer Item, unknown, never>
      ? Item[]
      : Value;

/** The exports of a module. */
export type ExportsOf<Modules, Name extends keyof Modules> = Modules[Name];
