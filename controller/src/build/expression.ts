import { isBuiltin } from 'node:module';

import { type AnyNode, parse } from 'acorn';
import { transform } from 'esbuild';

import { UsageError } from '../../../protocol/errors.ts';
import { SourceError } from '../api/diagnostic.ts';
import { esbuildService } from './esbuild-service.ts';
import { diagnosticOf, isBuildFailure } from './language/messages.ts';
import { visit } from './syntax-tree.ts';

/** A line of a shell as nodes run it. */
export interface Expression {
  /** CommonJS that exports `run`. */
  readonly code: string;
  /** The names that the line declares, which the shell keeps. */
  readonly names: readonly string[];
  /** What it takes from packages: `hono/cors`. */
  readonly packages: readonly string[];
}

/** What the code has for itself. No line can use these names. */
const KEPT = '__hotcast_kept';
const VALUE = '__hotcast_value';
const BEFORE = '__hotcast_before';

const OPTIONS = { loader: 'ts', format: 'esm', target: 'esnext', sourcefile: 'shell', logLevel: 'silent' } as const;
const TSCONFIG = { compilerOptions: { verbatimModuleSyntax: true } };

/**
 * Compiles a line of a shell: an expression, or statements whose last one can be one. What it declares is kept for the next lines.
 *
 * @param modules the modules that it can name; `my-web` is `myWeb`.
 * @param kept the names that earlier lines declared.
 * @throws SourceError when it does not compile.
 * @throws UsageError when it declares the name of a module.
 */
export async function compileExpression(
  source: string,
  modules: readonly string[],
  kept: readonly string[],
): Promise<Expression> {
  const { body, names, packages } = (await asExpression(source)) ?? (await asStatements(source));
  const imported = modules.filter(module => new RegExp(`\\b${identifierOf(module)}\\b`).test(body));
  const taken = names.find(name => imported.some(module => identifierOf(module) === name));
  if (taken !== undefined) throw new UsageError(`${taken} is a module: choose another name`);
  const imports = imported.map(module => `const ${identifierOf(module)} = require("hot:${module}");\n`);
  const locals = [...new Set([...kept, ...names])].filter(name => !modules.some(each => identifierOf(each) === name));
  const declared = locals.length === 0 ? '' : `let { ${locals.join(', ')} } = ${KEPT};\n`;
  // What the line has not changed is left alone: a line that nobody waits for any more can end after later ones.
  const keep = locals.map(name => `if (${name} !== ${BEFORE}.${name}) ${KEPT}.${name} = ${name};`).join(' ');
  const code = `"use strict";
${imports.join('')}exports.run = async ${KEPT} => {
${declared}const ${BEFORE} = { ...${KEPT} };
let ${VALUE};
try {
${body}
} finally { ${keep} }
return ${VALUE};
};`;
  return { code, names, packages };
}

/** The name of a module in a line: `my-web` is `myWeb`. */
export function identifierOf(module: string): string {
  return module.replaceAll(/-+(.?)/g, (_, letter: string) => letter.toUpperCase());
}

interface Body extends Pick<Expression, 'names' | 'packages'> {
  readonly body: string;
}

/** A declaration, which would be an expression in brackets. */
const DECLARATION = /^(?:(?:async\s+)?function\s*\*?\s*[\w$]|class\s+(?!extends\b)[\w$])/;

/** Null when it is no expression: `{ a: 1 }` and `'use strict'` are. */
async function asExpression(source: string): Promise<Body | null> {
  const expression = source.trim().replace(/;$/, '');
  if (DECLARATION.test(expression)) return null;
  const code = await compiled(`${VALUE} = (\n${expression}\n);`).catch((error: unknown) => {
    if (error instanceof SourceError) return null;
    throw error;
  });
  if (code === null) return null;
  const { statements, edits, packages } = read(code);
  return statements.length === 1 ? { body: edited(code, edits), names: [], packages } : null;
}

async function asStatements(source: string): Promise<Body> {
  const code = await compiled(source);
  const { statements, edits, packages } = read(code);
  const names = new Set<string>();
  for (const [index, statement] of statements.entries()) {
    const { start, end } = statement;
    if (statement.type === 'ImportDeclaration' || statement.type.startsWith('Export')) {
      throw new UsageError(`a line can't have import or export; use: const fs = require('node:fs')`);
    }
    if (statement.type === 'VariableDeclaration') {
      const parts = statement.declarations.map(({ id, init }) => {
        for (const name of namesIn(id)) names.add(name);
        return `(${textOf(code, id)} = ${init == null ? 'undefined' : '('}`;
      });
      for (const [at, { id, init, start: from, end: to }] of statement.declarations.entries()) {
        edits.push({ start: from, end: init?.start ?? id.end, text: parts[at] ?? '' });
        edits.push({ start: to, end: to, text: init == null ? ')' : '))' });
      }
      edits.push({ start, end: statement.declarations[0]?.start ?? start, text: '' });
    }
    if (statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration') {
      names.add(statement.id.name);
      edits.push({ start, end: start, text: `${statement.id.name} = ` }, { start: end, end, text: ';' });
    }
    if (statement.type === 'ExpressionStatement' && index === statements.length - 1) {
      edits.push({ start, end: start, text: `${VALUE} = ` });
    }
  }
  return { body: edited(code, edits), names: [...names], packages };
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The statements of compiled code, the edits that it needs in any case, and the packages that it names. */
function read(code: string) {
  const { body } = parse(code, { ecmaVersion: 'latest', sourceType: 'module' });
  const edits: Edit[] = [];
  const required = new Set<string>();
  for (const statement of body) {
    visit(statement, node => {
      const from = requiredBy(node);
      if (from !== null && !isBuiltin(from) && !/^(?:hot:|[./])/.test(from)) required.add(from);
      // Scripts of nodes have no import().
      if (node.type === 'ImportExpression') {
        edits.push({ start: node.start, end: node.start + 'import'.length, text: 'require.import' });
      }
    });
  }
  return { statements: body, edits, packages: [...required] };
}

/** What `require('x')` or `import('x')` names. */
function requiredBy(node: AnyNode): string | null {
  const isRequire =
    node.type === 'CallExpression' && node.callee.type === 'Identifier' && node.callee.name === 'require';
  const [from] = isRequire ? node.arguments : node.type === 'ImportExpression' ? [node.source] : [];
  return from?.type === 'Literal' && typeof from.value === 'string' ? from.value : null;
}

function edited(code: string, edits: readonly Edit[]): string {
  const inOrder = edits
    .map((edit, index) => ({ ...edit, index }))
    .toSorted((a, b) => b.start - a.start || b.index - a.index);
  return inOrder
    .reduce((text, { start, end, text: by }) => text.slice(0, start) + by + text.slice(end), code)
    .trimEnd();
}

function textOf(code: string, { start, end }: AnyNode): string {
  return code.slice(start, end);
}

/** The names that a declaration binds. */
function namesIn(pattern: AnyNode): string[] {
  if (pattern.type === 'Identifier') return [pattern.name];
  if (pattern.type === 'AssignmentPattern') return namesIn(pattern.left);
  if (pattern.type === 'RestElement') return namesIn(pattern.argument);
  if (pattern.type === 'ArrayPattern') return pattern.elements.flatMap(each => (each === null ? [] : namesIn(each)));
  if (pattern.type !== 'ObjectPattern') return [];
  return pattern.properties.flatMap(each => namesIn(each.type === 'Property' ? each.value : each.argument));
}

async function compiled(source: string): Promise<string> {
  try {
    return (await esbuildService.use(() => transform(source, { ...OPTIONS, tsconfigRaw: TSCONFIG }))).code;
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    throw new SourceError('compile', 'the line does not compile; nothing was sent', error.errors.map(diagnosticOf));
  }
}
