import { dirname, isAbsolute, join, relative, resolve } from 'node:path';

import { parseExpressionAt } from 'acorn';
import type { TsconfigRaw } from 'esbuild';

import { UsageError } from '../../../../protocol/errors.ts';
import type { SourceSnapshot } from '../sources/source-snapshot.ts';
import { foldersUpTo } from '../sources/source-file.ts';
import { literalValue } from './literal.ts';

/** The compiler options of a modules folder without a tsconfig.json, in the compile and in the type check. */
export const DEFAULT_OPTIONS = {
  target: 'esnext',
  lib: ['esnext'],
  module: 'preserve',
  moduleResolution: 'bundler',
  jsx: 'react-jsx',
  strict: true,
  allowJs: true,
  allowImportingTsExtensions: true,
  resolveJsonModule: true,
};

/** What the compile uses of a tsconfig.json. */
export interface Tsconfig {
  /** For esbuild. All paths are absolute. */
  readonly options: TsconfigRaw['compilerOptions'] & object;
  /** Whether decorators record the types of what they decorate. */
  readonly hasDecoratorMetadata: boolean;
  /** Whether null and undefined are types of their own. */
  readonly isStrict: boolean;
  /** The paths of the configuration and of those that it extends. */
  readonly files: readonly string[];
}

type Options = Readonly<Record<string, unknown>>;

interface Read {
  readonly options: Options;
  readonly files: readonly string[];
}

/** The options that have an effect on the code. JSX that is to be preserved is compiled: nothing else will do it. */
const USED = [
  'jsx',
  'jsxFactory',
  'jsxFragmentFactory',
  'jsxImportSource',
  'experimentalDecorators',
  'target',
  'baseUrl',
  'useDefineForClassFields',
  'verbatimModuleSyntax',
];

const ANY_CASE: ReadonlySet<string> = new Set(['jsx', 'target']);

const PRESERVED_JSX: ReadonlySet<unknown> = new Set(['preserve', 'react-native']);

/** The targets whose class fields are assigned. */
const BEFORE_CLASS_FIELDS = /^es(?:3|5|6|20(?:1\d|2[01]))$/;

/** The tsconfig.json of a modules folder: in it, or else in the nearest folder above it in the project; null when there is none. */
export function findTsconfig(modulesDir: string, snapshot: SourceSnapshot): string | null {
  const paths = foldersUpTo(snapshot.root, modulesDir).map(folder => join(folder, 'tsconfig.json'));
  return paths.find(path => snapshot.bytes(path) !== null) ?? null;
}

/**
 * Reads the tsconfig.json of a modules folder and those that it extends, as TypeScript does.
 *
 * @throws UsageError when one of them is missing or can't be parsed.
 */
export function readTsconfig(modulesDir: string, snapshot: SourceSnapshot): Tsconfig {
  const path = findTsconfig(modulesDir, snapshot);
  const { options, files } =
    path === null
      ? { options: DEFAULT_OPTIONS as Options, files: [] }
      : new Reader(dirname(path), snapshot).read(path, []);
  const used = Object.fromEntries(USED.flatMap(name => (name in options ? [[name, plain(name, options[name])]] : [])));
  if (PRESERVED_JSX.has(used['jsx'])) used['jsx'] = 'react-jsx';
  // As TypeScript does from the target.
  const { target = 'esnext' } = used;
  used['useDefineForClassFields'] ??= typeof target !== 'string' || !BEFORE_CLASS_FIELDS.test(target);
  const { 'hot:*': _, ...paths } = pathsOf(options);
  return {
    options: { ...used, paths },
    hasDecoratorMetadata: options['experimentalDecorators'] === true && options['emitDecoratorMetadata'] === true,
    isStrict: (options['strictNullChecks'] ?? options['strict'] ?? true) === true,
    files,
  };
}

class Reader {
  readonly #folder: string;
  readonly #snapshot: SourceSnapshot;

  /** @param folder that of the first file. */
  constructor(folder: string, snapshot: SourceSnapshot) {
    this.#folder = folder;
    this.#snapshot = snapshot;
  }

  /** @param outer the files that extend this one, directly or through others. */
  read(path: string, outer: readonly string[]): Read {
    if (outer.includes(path)) throw new UsageError(`${this.#nameOf(path)} extends itself; nothing was sent`);
    const content = this.#parse(path);
    const { compilerOptions: own } = content;
    const bases = listOf(content['extends']).map(each => this.read(this.#find(each, path), [...outer, path]));
    const options = Object.assign(
      {},
      ...bases.map(base => base.options),
      this.#absolute(own, dirname(path)),
    ) as Options;
    return { options, files: [...bases.flatMap(base => base.files), path] };
  }

  /** TypeScript's file has comments and trailing commas, as an expression of JavaScript can. */
  #parse(path: string): Options {
    const text = this.#snapshot.text(path) ?? '';
    if (text.trim() === '') return {};
    try {
      const content = literalValue(parseExpressionAt(`(${text}\n)`, 0, { ecmaVersion: 'latest' }), false);
      if (isObject(content)) return content;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    throw new UsageError(`${this.#nameOf(path)} is no JSON object; nothing was sent`);
  }

  #find(extended: string, from: string): string {
    const endings = ['', '.json', '/tsconfig.json'];
    const isPath = isAbsolute(extended) || /^\.{1,2}(\/|$)/.test(extended);
    const places = isPath ? [resolve(dirname(from), extended)] : packagePlaces(dirname(from), extended);
    const candidates = places.flatMap(place => endings.map(ending => `${place}${ending}`));
    const found = candidates.find(candidate => this.#snapshot.bytes(candidate) !== null);
    if (found !== undefined) return found;
    const remedy = isPath ? 'write it' : `install the package${this.#inFolder()}`;
    throw new UsageError(
      `${this.#nameOf(from)} extends ${extended}, which was not found: ${remedy}, or remove "extends"; nothing was sent`,
    );
  }

  /** Paths are relative to the file that has them, and to `baseUrl` if it has that too. */
  #absolute(options: unknown, folder: string): Options {
    if (!isObject(options)) return {};
    const { baseUrl, paths, ...others } = options;
    const inFolder = (base: string, path: string): string =>
      resolve(base, path.replace(/^\$\{configDir\}/, this.#folder));
    const base = typeof baseUrl === 'string' ? inFolder(folder, baseUrl) : null;
    const mapped = isObject(paths) ? Object.entries(paths) : [];
    return {
      ...others,
      ...(base === null ? {} : { baseUrl: base }),
      ...(paths === undefined
        ? {}
        : {
            paths: Object.fromEntries(
              mapped.map(([name, to]) => [name, listOf(to).map(each => inFolder(base ?? folder, each))]),
            ),
          }),
    };
  }

  #inFolder(): string {
    const name = this.#nameOf(this.#folder);
    return name === '' ? '' : ` in ${name}`;
  }

  #nameOf(path: string): string {
    return relative(this.#snapshot.root, path);
  }
}

function packagePlaces(folder: string, name: string): string[] {
  const parent = dirname(folder);
  return [join(folder, 'node_modules', name), ...(parent === folder ? [] : packagePlaces(parent, name))];
}

function pathsOf({ paths }: Options): Record<string, string[]> {
  return isObject(paths) ? Object.fromEntries(Object.entries(paths).map(([name, to]) => [name, listOf(to)])) : {};
}

/** TypeScript reads the values of some options in any case. */
function plain(name: string, value: unknown): unknown {
  return typeof value === 'string' && ANY_CASE.has(name) ? value.toLowerCase() : value;
}

function listOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter(each => typeof each === 'string');
}

function isObject(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
