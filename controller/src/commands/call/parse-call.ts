import { type AnyNode, type CallExpression, type Expression, parseExpressionAt } from 'acorn';

import { UsageError } from '../../../../protocol/errors.ts';
import { isModuleName } from '../../../../protocol/names.ts';
import { literalValue, LiteralError } from './literal.ts';

/** A call of a function of a module. */
export interface Call {
  readonly module: string;
  /** The name of the export, and the names of properties below it: `['inner', 'f']` for `demo.inner.f()`. */
  readonly path: readonly [string, ...string[]];
  readonly args: readonly unknown[];
}

/** The name of a module, which can contain dashes, and the rest. */
const CALL = /^\s*([^\s.[(]+)(\s*[.[][\s\S]*?);?\s*$/;

/**
 * Reads a call as a user writes it: `demo.add(4, 5)`, `demo.store.get('x')`, `demo["with-dash"]({ a: 10n })`. The arguments
 * are literals. Nothing is evaluated.
 *
 * @throws UsageError which says what does not fit.
 */
export function parseCall(text: string): Call {
  const [, module = '', rest = ''] = CALL.exec(text) ?? [];
  // A name of the same length in place of the module's.
  const source = `${'_'.repeat(module.length)}${rest}`;
  const call = isModuleName(module) ? parsed(source) : null;
  const path = call === null ? null : pathOf(call.callee);
  const [name, ...inner] = path ?? [];
  if (call === null || name === undefined) {
    throw new UsageError(`${JSON.stringify(text)} is no call: write it as 'demo.add(4, 5)'`);
  }
  try {
    return { module, path: [name, ...inner], args: call.arguments.map(arg => literalValue(arg, source)) };
  } catch (cause) {
    if (!(cause instanceof LiteralError)) throw cause;
    const hint = cause.message.endsWith('literal') ? `: write values such as 'x', [1], { a: 10n }, undefined` : '';
    throw new UsageError(`an argument can not be read: ${cause.message}${hint}`, { cause });
  }
}

function parsed(source: string): CallExpression | null {
  let call: Expression;
  try {
    call = parseExpressionAt(source, 0, { ecmaVersion: 'latest', sourceType: 'module' });
  } catch {
    return null;
  }
  return call.type === 'CallExpression' && !call.optional && call.end === source.trimEnd().length ? call : null;
}

/** The names of `_.a["b"]`: `['a', 'b']`; null for another expression. */
function pathOf(node: AnyNode): string[] | null {
  if (node.type === 'Identifier') return [];
  if (node.type !== 'MemberExpression' || node.optional) return null;
  const above = pathOf(node.object);
  const { property } = node;
  if (above === null) return null;
  if (!node.computed) return property.type === 'Identifier' ? [...above, property.name] : null;
  return property.type === 'Literal' && typeof property.value === 'string' ? [...above, property.value] : null;
}
