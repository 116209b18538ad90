import knex from 'knex';
import { withPostgres } from './support/fake-postgres.ts';

export function check() {
  return withPostgres(async port => {
    const connection = { host: '127.0.0.1', port, user: 'ada', database: 'shop' };
    const db = knex({ client: 'pg', version: '17.0', connection });
    try {
      return (await db('users').where({ name: 'Ada' }).andWhere('visits', '>', 1).select('id')) as unknown;
    } finally {
      await db.destroy();
    }
  });
}
