import { basename, dirname } from 'node:path';

import type { AnyNode, FunctionExpression } from 'acorn';
import type { StdinOptions } from 'esbuild';

import { syntaxTreeOf, visit } from '../syntax-tree.ts';

/**
 * An ES module that exports what a CommonJS module does: the names that its code gives to `exports`, as Node.js finds them, and
 * `module.exports` as the default.
 *
 * @param path the path of the CommonJS module.
 * @param file its name in the code.
 * @param code the module as esbuild bundles it into an ES module.
 */
export function asEsModule(path: string, file: string, code: string): StdinOptions {
  const names = exportedNames(file, code);
  const lines = [
    `const all = require(${JSON.stringify(`./${basename(path)}`)});`,
    `export default ${names.includes('default') ? 'all.default' : 'all'};`,
    ...names
      .filter(name => name !== 'default')
      .map(name => JSON.stringify(name))
      .map((name, index) => `const { ${name}: x${index} } = all; export { x${index} as ${name} };`),
  ];
  return { contents: lines.join('\n'), resolveDir: dirname(path), sourcefile: `${file}?exports`, loader: 'js' };
}

function exportedNames(file: string, code: string): string[] {
  const program = syntaxTreeOf(code);
  const names = new Set<string>();
  if (program === null) return [];
  visit(program, node => {
    const wrapper = wrapperOf(node, file);
    if (wrapper === null) return;
    const [exports, module] = wrapper.params.map(each => (each.type === 'Identifier' ? each.name : ''));
    visit(wrapper.body, each => {
      for (const name of namesGivenTo(each, exports, module)) names.add(name);
    });
  });
  return [...names];
}

/** The function that esbuild makes of a CommonJS module: `__commonJS({ "modules/demo.cjs"(exports, module) { … } })`. */
function wrapperOf(node: AnyNode, file: string): FunctionExpression | null {
  if (node.type !== 'Property' || node.key.type !== 'Literal' || node.key.value !== file) return null;
  return node.value.type === 'FunctionExpression' ? node.value : null;
}

function namesGivenTo(node: AnyNode, exports = '', module = ''): string[] {
  const isExports = (each: AnyNode): boolean =>
    each.type === 'Identifier' ? each.name === exports : isMemberOf(each, module, 'exports');
  if (node.type === 'AssignmentExpression') {
    const { left, right } = node;
    if (left.type === 'MemberExpression' && isExports(left.object))
      return [propertyOf(left)].filter(name => name !== null);
    if (isExports(left) && right.type === 'ObjectExpression') return right.properties.flatMap(keyOf);
  }
  if (node.type !== 'CallExpression' || !isMemberOf(node.callee, 'Object', 'defineProperty')) return [];
  const [object, name] = node.arguments;
  if (object === undefined || !isExports(object) || name?.type !== 'Literal') return [];
  return name.value === '__esModule' ? [] : [String(name.value)];
}

function isMemberOf(node: AnyNode, object: string, name: string): boolean {
  if (node.type !== 'MemberExpression' || propertyOf(node) !== name) return false;
  return node.object.type === 'Identifier' && node.object.name === object;
}

function propertyOf({ property, computed }: AnyNode & { readonly type: 'MemberExpression' }): string | null {
  if (property.type === 'Identifier' && !computed) return property.name;
  return property.type === 'Literal' ? String(property.value) : null;
}

function keyOf(node: AnyNode): string[] {
  if (node.type !== 'Property' || node.computed) return [];
  if (node.key.type === 'Identifier') return [node.key.name];
  return node.key.type === 'Literal' ? [String(node.key.value)] : [];
}
