import { type AnyNode, type ModuleDeclaration, parse, Parser, type Program, type Statement } from 'acorn';

/** The syntax tree of an ES module; null when the code has an error that esbuild did not look for, as in a regular expression. */
export function syntaxTreeOf(code: string): Program | null {
  return orNull(() => parse(code, OPTIONS));
}

/**
 * Calls a function with every node of the syntax tree of an ES module as esbuild writes it. A statement is let go as soon as it
 * was visited: the tree of 5 MB of code takes 100 MB.
 *
 * @returns the imports and exports at the top level; null as for {@link syntaxTreeOf}.
 */
export function visitModule(code: string, each: (node: AnyNode) => void): readonly ModuleDeclaration[] | null {
  const declarations: ModuleDeclaration[] = [];
  const parser = statementParser(statement => {
    visit(statement, each);
    if (isDeclaration(statement)) declarations.push(statement);
  });
  return orNull(() => parser.parse(code, OPTIONS)) === null ? null : declarations;
}

/** Calls a function with a node of a syntax tree and all nodes below it. */
export function visit(node: AnyNode | Program, each: (node: AnyNode) => void): void {
  each(node);
  // Object.values() would make an array for each of a million nodes.
  for (const key in node) {
    const value: unknown = node[key as keyof typeof node];
    if (typeof value !== 'object' || value === null) continue;
    if (!Array.isArray(value)) {
      if (isNode(value)) visit(value, each);
    } else for (const child of value as unknown[]) if (isNode(child)) visit(child, each);
  }
}

const OPTIONS = { ecmaVersion: 'latest', sourceType: 'module' } as const;

type Parsed = Statement | ModuleDeclaration;

/** A method of acorn that plug-ins override; its types do not have it. */
interface Internals {
  parseStatement: (context: string | null, ...others: unknown[]) => Parsed;
}

const { parseStatement } = Parser.prototype as unknown as Internals;

/**
 * A parser that gives away each statement of a block, and puts an empty one in its place. It takes no note of the names of a
 * scope, where a search grows with the square of their number: esbuild has found those that are declared twice.
 */
function statementParser(take: (statement: Parsed) => void): typeof Parser {
  return Parser.extend(
    Base =>
      class extends Base {
        declareName(): void {}
        checkLocalExport(): void {}
        checkExport(): void {}
        checkVariableExport(): void {}

        parseStatement(context: string | null, ...others: unknown[]): Parsed {
          const statement = parseStatement.call(this, context, ...others);
          // The others are a part of a statement: a branch, the body of a loop.
          if (context !== null) return statement;
          take(statement);
          const { start, end } = statement;
          // acorn looks for "use strict" among those that stay.
          return isDirective(statement) ? statement : { type: 'EmptyStatement', start, end };
        }
      },
  );
}

function isDirective(statement: Parsed): boolean {
  return statement.type === 'ExpressionStatement' && statement.expression.type === 'Literal';
}

function isDeclaration(node: Parsed): node is ModuleDeclaration {
  return /^(?:Import|Export)\w+Declaration$/.test(node.type);
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function orNull<T>(run: () => T): T | null {
  try {
    return run();
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
