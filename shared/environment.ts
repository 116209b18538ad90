import { UsageError } from '../protocol/errors.ts';

/** The environment of a process. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Takes one line about a variable that works but should be changed. */
export type Warn = (message: string) => void;

/** An environment variable of a process. docs/configuration.md is generated from these definitions. */
export interface Setting<T> {
  readonly name: string;
  /** The name in earlier releases. It still works, with a warning. */
  readonly formerName?: string;
  /** The text that is used when the variable is unset or empty. A text that breaks the rule makes the variable required. */
  readonly default: string;
  readonly description: string;
  /** The end of the sentence "NAME must be …". */
  readonly rule: string;
  /** The value of a text; undefined when the text breaks the rule. */
  readonly parse: (text: string) => T | undefined;
}

/** The values of a set of definitions, under the same keys. */
export type Values<Definitions> = {
  readonly [Key in keyof Definitions]: Definitions[Key] extends Setting<infer T> ? T : never;
};

interface IntegerOptions {
  readonly formerName?: string;
  readonly default: number;
  readonly min: number;
  readonly max?: number;
  readonly unit?: string;
}

export function integer(name: string, options: IntegerOptions, description: string): Setting<number> {
  const { min, max = Infinity, unit, default: fallback, ...former } = options;
  const number = unit === undefined ? 'a whole number' : `a whole number of ${unit}`;
  const rule = max === Infinity ? `${number}, at least ${min}` : `${number} from ${min} to ${max}`;
  return {
    name,
    ...former,
    default: String(fallback),
    description,
    rule,
    parse: text => {
      const value = Number(text);
      return Number.isInteger(value) && value >= min && value <= max ? value : undefined;
    },
  };
}

/** One of a few texts. */
export function choice<const T extends string>(
  name: string,
  options: { readonly values: readonly T[]; readonly default: T },
  description: string,
): Setting<T> {
  const { values, default: fallback } = options;
  const rule = `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
  return { name, default: fallback, description, rule, parse: text => values.find(value => value === text) };
}

/** `1` is true; `0`, the default, is false. */
export function flag(name: string, description: string): Setting<boolean> {
  const parse = (text: string): boolean | undefined => (/^[01]$/.test(text) ? text === '1' : undefined);
  return { name, default: '0', description, rule: '1 or 0', parse };
}

export function path(name: string, fallback: string, description: string, formerName?: string): Setting<string> {
  const former = formerName === undefined ? {} : { formerName };
  return { name, ...former, default: fallback, description, rule: 'a path', parse: text => text };
}

/**
 * Reads the variables of an environment. An empty variable is an unset one.
 *
 * @param warn gets one warning for each variable that is set under its former name.
 * @throws UsageError one line that names every bad variable.
 */
export function readSettings<Definitions extends Readonly<Record<string, Setting<unknown>>>>(
  env: Env,
  definitions: Definitions,
  warn: Warn,
): Values<Definitions> {
  const problems: string[] = [];
  const values = Object.entries(definitions).map(([key, { name, formerName = '', default: fallback, rule, parse }]) => {
    const former = env[formerName];
    if (former) warn(`${formerName} is deprecated: set ${name} instead`);
    const value = parse(env[name] || former || fallback);
    const source = env[name] || !former ? name : `${formerName} (now ${name})`;
    if (value === undefined) problems.push(`${source} must be ${rule}`);
    return [key, value];
  });
  if (problems.length > 0) throw new UsageError(problems.join('; '));
  return Object.fromEntries(values) as Values<Definitions>;
}
