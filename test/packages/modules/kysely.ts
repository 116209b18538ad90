import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { withPostgres } from './support/fake-postgres.ts';

interface Database {
  users: { id: number; name: string; visits: number };
}

export function check() {
  return withPostgres(async port => {
    const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'ada', database: 'shop' });
    const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
    const rows = await db.selectFrom('users').select(['id', 'name']).where('name', '=', 'Ada').execute();
    await db.destroy();
    return rows;
  });
}
