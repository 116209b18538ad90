import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { withPostgres } from './support/fake-postgres.ts';

const users = pgTable('users', { id: integer().primaryKey(), name: text().notNull() });

export function check() {
  return withPostgres(async port => {
    const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'ada', database: 'shop' });
    const [row] = await drizzle({ client: pool }).select({ sql: users.name }).from(users).where(eq(users.name, 'Ada'));
    await pool.end();
    return row;
  });
}
