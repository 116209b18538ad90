/** A variable of the Compose file, and its default there; null when the program has the default. */
export interface ComposeVariable {
  readonly name: string;
  readonly default: string | null;
}

/**
 * Finds the variables of a Compose file: `${NAME:-default}`, and entries of `environment` without a value, which Compose
 * passes on. In the default of a variable, another variable is shown by its name. `${NAME:+1}` switches something on.
 *
 * @throws Error when a variable has two different defaults.
 */
export function composeVariables(file: string): readonly ComposeVariable[] {
  const text = file.replaceAll(/^\s*#.*$/gm, '');
  const defaults = new Map<string, string | null>();
  const add = (name: string, value: string | null): void => {
    const known = defaults.get(name);
    if (known !== undefined && known !== value) throw new Error(`${name} has two defaults: ${known} and ${value}`);
    defaults.set(name, value);
  };
  for (const [, name = '', nested, plain] of text.matchAll(
    /\$\{([A-Z_]+)(?!:\+|[A-Z_])(?::-(?:\$\{([A-Z_]+)|([^${}]*)))?/g,
  )) {
    add(name, nested ?? plain ?? null);
    const inner = nested === undefined ? null : new RegExp(`\\$\\{${nested}:-([^\${}]*)\\}`).exec(text);
    if (nested !== undefined) add(nested, inner?.[1] ?? null);
  }
  for (const [, name = ''] of text.matchAll(/^ +([A-Z][A-Z0-9_]*):$/gm)) add(name, null);
  // What runs only with a value has no default; another one stands where Compose needs some value.
  for (const [, name = ''] of text.matchAll(/\$\{([A-Z_]+):\+/g)) defaults.set(name, null);
  return [...defaults].map(([name, value]) => ({ name, default: value }));
}
