import type { AnyNode, Literal, NewExpression, ObjectExpression, UnaryExpression } from 'acorn';

import { BIGINT_ARRAYS, NUMBER_ARRAYS } from '../../../../protocol/values/typed-arrays.ts';

/** An expression is not a literal, or a number that would lose digits. */
export class LiteralError extends Error {}

const CONSTANTS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['undefined', undefined],
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
]);

/** What can be written with `new`. Each takes one list of values or one value. */
const CLASSES: ReadonlyMap<string, (argument: unknown) => unknown> = new Map<string, (argument: unknown) => unknown>([
  ['Map', pairs => new Map(pairs as [unknown, unknown][])],
  ['Set', items => new Set(items as unknown[])],
  ['Date', time => new Date(time as string | number)],
  ...NUMBER_ARRAYS.map(List => [List.name, (items: unknown) => new List(items as number[])] as const),
  ...BIGINT_ARRAYS.map(List => [List.name, (items: unknown) => new List(items as bigint[])] as const),
]);

/**
 * The value of a literal of JavaScript: `'x'`, `10n`, `{ a: [1] }`, `undefined`, `/x/`, `new Map([['a', 1]])`. Nothing is
 * evaluated.
 *
 * @param source the text that the node was parsed from.
 * @throws LiteralError which says what is no literal.
 */
export function literalValue(node: AnyNode, source: string): unknown {
  const value = (each: AnyNode): unknown => literalValue(each, source);
  if (node.type === 'Literal') return constant(node);
  if (node.type === 'TemplateLiteral' && node.expressions.length === 0) return node.quasis[0]?.value.cooked;
  if (node.type === 'Identifier' && CONSTANTS.has(node.name)) return CONSTANTS.get(node.name);
  if (node.type === 'UnaryExpression') return signed(node, value(node.argument)) ?? refuse(node, source);
  if (node.type === 'ObjectExpression') return objectValue(node, source);
  if (node.type === 'NewExpression') return instance(node, source);
  if (node.type !== 'ArrayExpression') return refuse(node, source);
  const items: unknown[] = [];
  for (const element of node.elements) {
    if (element === null) items.length += 1;
    else items.push(value(element));
  }
  return items;
}

function constant({ value, raw = '', bigint }: Literal): unknown {
  if (typeof bigint === 'string') return BigInt(bigint);
  if (typeof value !== 'number') return value;
  const digits = raw.replaceAll('_', '');
  if (!Number.isFinite(value)) throw new LiteralError(`${raw} is too large for a number`);
  const isInteger = /^(?:\d+|0[xob][\da-f]+)$/i.test(digits);
  // JSON.stringify(2 ** 60) is `1152921504606847000`, which is not 2 ** 60 but stands for it.
  if (isInteger && BigInt(digits) !== BigInt(value) && digits !== String(value)) {
    throw new LiteralError(`${raw} loses digits as a number: write ${raw}n`);
  }
  return value;
}

/** The value of `-1` or `+1`; undefined for another operator. */
function signed({ operator }: UnaryExpression, operand: unknown): number | bigint | undefined {
  if (typeof operand === 'number' && (operator === '-' || operator === '+'))
    return operator === '-' ? -operand : operand;
  return typeof operand === 'bigint' && operator === '-' ? -operand : undefined;
}

function objectValue(node: ObjectExpression, source: string): object {
  const target = {};
  for (const property of node.properties) {
    if (property.type !== 'Property' || property.kind !== 'init' || property.method || property.shorthand) {
      return refuse(property, source);
    }
    const { key } = property;
    const name = key.type === 'Identifier' && !property.computed ? key.name : String(literalValue(key, source));
    const value = literalValue(property.value, source);
    // Not an assignment: as in JSON, `__proto__` is a key like others.
    Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return target;
}

function instance(node: NewExpression, source: string): unknown {
  const create = node.callee.type === 'Identifier' ? CLASSES.get(node.callee.name) : undefined;
  const [argument, ...more] = node.arguments;
  if (create === undefined || more.length > 0) return refuse(node, source);
  // `new Date()` is not a literal: it depends on when it is evaluated.
  if (argument === undefined && node.callee.type === 'Identifier' && node.callee.name === 'Date') refuse(node, source);
  try {
    return create(argument === undefined ? [] : literalValue(argument, source));
  } catch (error) {
    if (error instanceof LiteralError) throw error;
    return refuse(node, source);
  }
}

function refuse({ start, end }: AnyNode, source: string): never {
  throw new LiteralError(`${source.slice(start, end)} is no literal`);
}
