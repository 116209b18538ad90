import { type AnyNode, parse, type Program } from 'acorn';

/** The syntax tree of an ES module; null when the code has an error that esbuild did not look for, as in a regular expression. */
export function syntaxTreeOf(code: string): Program | null {
  try {
    return parse(code, { ecmaVersion: 'latest', sourceType: 'module' });
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Calls a function with a node of a syntax tree and all nodes below it. */
export function visit(node: AnyNode | Program, each: (node: AnyNode) => void): void {
  each(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, each);
  }
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
