import type { Operator } from '../../../../protocol/operators/operator.ts';
import { ageText } from '../../../../shared/age.ts';
import type { Checked } from '../../api/checked.ts';

/** An operator that expires is named so long before, and so long after (milliseconds). */
const NOTICE_MS = 7 * 24 * 3_600_000;

/** Whether operators expire, for the doctor. Nothing is said where none can. */
export function operatorsCheck(operators: readonly Operator[], now: number): Checked[] {
  const check = 'operators';
  const expiring = operators.flatMap(({ name, expiresAt, revokedAt }) =>
    expiresAt === null || revokedAt !== null ? [] : [{ name, inMs: expiresAt - now }],
  );
  if (expiring.length === 0) return [];
  const near = expiring.filter(({ inMs }) => Math.abs(inMs) < NOTICE_MS).toSorted((a, b) => a.inMs - b.inMs);
  if (near.length === 0) return [{ check, state: 'ok', detail: 'none expires within 7 days' }];
  const detail = near.map(({ name, inMs }) =>
    inMs > 0 ? `${name} expires in ${ageText(inMs)}` : `${name} expired ${ageText(-inMs)} ago`,
  );
  return [{ check, state: 'warning', detail: detail.join(', '), help: 'hotcast operator add' }];
}
