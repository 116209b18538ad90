import Pool from 'pg-pool';
import { withPostgres } from './support/fake-postgres.ts';

export function check() {
  return withPostgres(async port => {
    const pool = new Pool({ host: '127.0.0.1', port, user: 'ada', database: 'shop', max: 2 });
    const results = await Promise.all(['a', 'b', 'c'].map(value => pool.query('select $1', [value])));
    const clients = pool.totalCount;
    await pool.end();
    return { rows: results.flatMap(({ rows }) => rows).length, clients };
  });
}
