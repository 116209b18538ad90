import type { Expression } from 'acorn';

/**
 * The value of a literal: a text, a number, an array or an object of such, and so on.
 *
 * @param hasPlainNames whether the names of properties can be without quotes, as they can't in JSON.
 * @throws SyntaxError for any other expression.
 */
export function literalValue(node: Expression, hasPlainNames: boolean): unknown {
  if (node.type === 'ParenthesizedExpression') return literalValue(node.expression, hasPlainNames);
  if (node.type === 'Literal') return node.value;
  if (node.type === 'ArrayExpression') {
    return node.elements.map(each =>
      each === null || each.type === 'SpreadElement' ? fail() : literalValue(each, hasPlainNames),
    );
  }
  if (node.type !== 'ObjectExpression') return fail();
  return Object.fromEntries(
    node.properties.map(each => {
      if (each.type === 'SpreadElement' || each.computed) return fail();
      const { key, value } = each;
      if (key.type === 'Literal') return [String(key.value), literalValue(value, hasPlainNames)];
      return hasPlainNames && key.type === 'Identifier' ? [key.name, literalValue(value, hasPlainNames)] : fail();
    }),
  );
}

function fail(): never {
  throw new SyntaxError('no literal');
}
