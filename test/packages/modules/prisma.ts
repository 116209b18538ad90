import { Decimal, sqltag } from '@prisma/client/runtime/client';

/** The runtime of a generated client. The client itself is made from the schema of a project. */
export function check() {
  const { sql, values } = sqltag`select * from users where name = ${'Ada'}`;
  return { sql, values, sum: new Decimal('0.1').plus('0.2').toString() };
}
