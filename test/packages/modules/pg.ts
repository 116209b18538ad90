import pg from 'pg';
import { withPostgres } from './support/fake-postgres.ts';

export function check() {
  return withPostgres(async port => {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'ada', database: 'shop' });
    await client.connect();
    const { rows } = await client.query<{ sql: string; values: string }>('select $1::text', ['Ada']);
    await client.end();
    return rows;
  });
}
