import { compileFunction } from 'node:vm';

import { type Message, transform, type TransformOptions } from 'esbuild';

import { ES_MODULE_HEADER } from '../../../../protocol/packages.ts';
import { esbuildService } from '../esbuild-service.ts';

/** How Node.js loads a file of a package: `unknown` is `.js` in a package without a type, where its syntax decides. */
export type FileKind = 'module' | 'commonjs' | 'unknown';

/** A string as esbuild writes it. */
const TEXT = String.raw`("(?:[^"\\\n]|\\.)*")`;
const IMPORT_TEXT = new RegExp(
  String.raw`Promise\.resolve\(\)\.then\(\(\) => __toESM\(require\(${TEXT}\)(?:, 1)?\)\)`,
  'g',
);
const IMPORT_VALUE = 'Promise.resolve().then(() => __toESM(require(';
const NAMESPACE = new RegExp(String.raw`__toESM\(require\(${TEXT}\), 1\)`, 'g');
const REQUIRE = new RegExp(String.raw`(?<![\w$.])require\("((?:[^"\\\n]|\\.)*"\))`, 'g');

/** What an ES module does not have. To use it is a ReferenceError, and `typeof` tells, as in Node.js. */
const NOT_IN_ES_MODULES = ['require', 'module', 'exports', '__filename', '__dirname'];

const OPTIONS = {
  format: 'cjs',
  // Not `node`: that writes the names of exports once more.
  platform: 'neutral',
  target: 'node24',
  charset: 'utf8',
  loader: 'js',
  logLevel: 'silent',
  tsconfigRaw: '{}',
  // A script of `vm` has no loader of its own.
  supported: { 'dynamic-import': false },
} as const satisfies TransformOptions;

const ES_MODULE_OPTIONS = {
  ...OPTIONS,
  // By the name, esbuild imports from CommonJS as Node.js does.
  sourcefile: 'file.mjs',
  banner: ES_MODULE_HEADER,
  define: {
    'import.meta': '__hotcast_meta',
    ...Object.fromEntries(NOT_IN_ES_MODULES.map(name => [name, `__hotcast_no_${name}`])),
  },
} as const satisfies TransformOptions;

/**
 * Converts a file of a package to CommonJS, as a node runs it: an ES module, or CommonJS that has an `import()`.
 *
 * In the converted text, `require.import("x")` is a namespace, `require("npm:x")` an import whose names are read one by one,
 * `__hotcast_import(x)` an `import()`, and `__hotcast_meta` is `import.meta`. That of an ES module begins with
 * {@link ES_MODULE_HEADER}.
 *
 * @param name the package and the path of the file, for errors.
 * @returns null for a file that runs as it is. An ES module that can't be converted becomes a program that throws the reason.
 * @throws UnavailableError when esbuild's process ends meanwhile.
 */
export async function convert(name: string, text: string, kind: FileKind): Promise<string | null> {
  const program = text.replace(/^#!/, '//');
  if (kind === 'unknown') return convert(name, program, isEsSyntax(program) ? 'module' : 'commonjs');
  if (kind === 'commonjs') return hasImportCall(program) ? convertCommonJs(program) : null;
  const converted = await attempt(program, ES_MODULE_OPTIONS);
  if (typeof converted !== 'string') {
    return `${ES_MODULE_HEADER}\nthrow new Error(${JSON.stringify(`${name} ${converted.problem}`)});\n`;
  }
  return withImportCalls(converted).replace(NAMESPACE, 'require.import($1)').replace(REQUIRE, 'require("npm:$1');
}

/** Whether a file is an ES module by its syntax, as Node.js decides: it is one if it is no CommonJS. */
export function isEsSyntax(text: string): boolean {
  const program = text.replace(/^#!/, '//');
  // Most files do not look like one, and are not read a second time.
  const looksSo =
    /(?:^|[;}])[ \t]*(?:import\b\s*[\w"'{*$]|export\b\s*(?:[{*]|default\b|const\b|let\b|var\b|class\b|function\b|async\b))/m.test(
      program.replace(/\/\*[^]*?\*\//g, ''),
    );
  return looksSo && !isCommonJs(program);
}

/** Whether it compiles as CommonJS. It is not run. */
function isCommonJs(program: string): boolean {
  try {
    compileFunction(program, ['exports', 'require', 'module', '__filename', '__dirname']);
    return true;
  } catch {
    return false;
  }
}

/** The relative paths that a converted ES module imports. */
export function relativeImportsIn(converted: string): string[] {
  return Array.from(converted.matchAll(/require(?:\.import\("|\("npm:)(\.[^"]+)"/g), ([, path = '']) => path);
}

async function convertCommonJs(text: string): Promise<string | null> {
  const converted = await attempt(text, { ...OPTIONS, sourcefile: 'file.cjs' });
  // What esbuild can't read runs as it is, and what only looks like an import() too.
  if (typeof converted !== 'string' || !/__toESM\(require\(/.test(converted)) return null;
  return withImportCalls(converted);
}

function withImportCalls(converted: string): string {
  return converted
    .replace(IMPORT_TEXT, '__hotcast_import($1)')
    .replaceAll(IMPORT_VALUE, 'Promise.resolve().then(() => (__hotcast_import(');
}

function hasImportCall(text: string): boolean {
  return /\bimport\s*\(/.test(text);
}

async function attempt(text: string, options: TransformOptions): Promise<string | { readonly problem: string }> {
  try {
    return (await esbuildService.use(() => transform(text, options))).code;
  } catch (error) {
    const [first] = errorsOf(error);
    if (first === undefined) throw error;
    const isAwait = first.text.startsWith('Top-level await');
    return {
      problem: isAwait
        ? 'has a top-level await, which a package of a hot module must not have'
        : `does not compile: ${first.text}`,
    };
  }
}

function errorsOf(error: unknown): readonly Message[] {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors) ? (error.errors as Message[]) : [];
}
