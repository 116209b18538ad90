import type { AnyNode, ModuleDeclaration, Pattern } from 'acorn';

import { visitModule } from './syntax-tree.ts';

/**
 * The exports whose values can change after the module has loaded: variables that are assigned again, and names that are
 * imported. Other exports are constant, so that a node can copy their values.
 *
 * @param code the module as one ES module. A variable that only shares its name with an assigned one counts too.
 * @param exports all exports. They all count when the code has an error that esbuild did not look for, as in a regular
 *   expression: the preflight reports it.
 */
export function liveExports(code: string, exports: readonly string[]): readonly string[] {
  const changing = new Set<string>();
  const declarations = visitModule(code, node => {
    for (const name of assignedNames(node)) changing.add(name);
  });
  return declarations?.flatMap(statement => exportedNames(statement, changing)) ?? exports;
}

function exportedNames(statement: ModuleDeclaration, changing: ReadonlySet<string>): string[] {
  if (statement.type !== 'ExportNamedDeclaration') return [];
  return statement.specifiers.flatMap(({ local, exported }) =>
    statement.source !== null || changing.has(nameOf(local)) ? [nameOf(exported)] : [],
  );
}

/** The variables that a node of the syntax tree assigns or imports. */
function assignedNames(node: AnyNode): string[] {
  if (node.type === 'AssignmentExpression') return patternNames(node.left);
  if (node.type === 'UpdateExpression') return node.argument.type === 'Identifier' ? [node.argument.name] : [];
  if (node.type === 'ImportDeclaration') return node.specifiers.map(({ local }) => local.name);
  const isLoop = node.type === 'ForInStatement' || node.type === 'ForOfStatement';
  return isLoop && node.left.type !== 'VariableDeclaration' ? patternNames(node.left) : [];
}

function patternNames(pattern: Pattern): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap(each => patternNames(each.type === 'RestElement' ? each : each.value));
    case 'ArrayPattern':
      return pattern.elements.flatMap(each => (each === null ? [] : patternNames(each)));
    case 'RestElement':
      return patternNames(pattern.argument);
    case 'AssignmentPattern':
      return patternNames(pattern.left);
    case 'MemberExpression':
      return [];
  }
}

function nameOf(
  name: { readonly type: 'Identifier'; readonly name: string } | { readonly type: 'Literal'; readonly value?: unknown },
): string {
  return name.type === 'Identifier' ? name.name : String(name.value);
}
