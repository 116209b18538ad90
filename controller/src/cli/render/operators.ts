import { mayText, type Operator } from '../../../../protocol/operators/operator.ts';
import type { ResultOf } from '../../api/results.ts';
import { table } from '../format.ts';
import { bad } from '../style.ts';

/** A line an operator. */
export function renderOperators({ operators }: ResultOf<'operator list'>): string {
  if (operators.length === 0)
    return 'there are no operators; add one: hotcast operator add NAME --may push --url tls://HOST:4222';
  return table(operators.map(each => [each.name, stateOf(each), `added ${timeOf(each.addedAt)} by ${each.addedBy}`]));
}

function stateOf(operator: Operator): string {
  const { revokedAt, expiresAt } = operator;
  if (revokedAt !== null) return bad(`revoked ${timeOf(revokedAt)}`);
  if (expiresAt === null) return `may ${mayText(operator)}`;
  if (expiresAt <= Date.now()) return bad(`expired ${timeOf(expiresAt)}`);
  return `may ${mayText(operator)} until ${timeOf(expiresAt)}`;
}

function timeOf(time: number): string {
  return new Date(time).toISOString();
}
