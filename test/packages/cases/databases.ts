import { type PackageCase, refused, works, worksWith } from '../package-case.ts';
import { DECORATORS, NATIVE } from '../reasons.ts';

/** Their servers are small fakes in the module's own process. */
export const DATABASES: readonly PackageCase[] = [
  refused('better-sqlite3', ...NATIVE),
  works('bullmq', 'adds a job', { id: '1', name: 'welcome', attempts: 3 }),
  works('drizzle-orm', 'a typed select through pg', { sql: 'select "name" from "users" where "users"."name" = $1' }),
  works('ioredis', 'a pipeline', [1, 2, 'Ada']),
  works('knex', 'a query through pg, which it requires by name', [
    { sql: 'select "id" from "users" where "name" = $1 and "visits" > $2', values: '["Ada","1"]' },
  ]),
  works('kysely', 'a typed query through pg', [
    { sql: 'select "id", "name" from "users" where "name" = $1', values: '["Ada"]' },
  ]),
  works('mongodb', 'inserts and finds', { insertedCount: 2, names: ['Ada', 'Grace'] }),
  works('mongoose', 'a schema with validation and a virtual field', {
    fields: ['name', 'visits'],
    greeting: 'Hello Ada',
    found: 1,
  }),
  works('mysql2', 'its server and its client', [{ sql: "select 1 + 'Ada'" }]),
  works('pg', 'a query with parameters', [{ sql: 'select $1::text', values: '["Ada"]' }]),
  works('pg-pool', 'three queries on two connections', { rows: 3, clients: 2 }),
  works(['prisma', '@prisma/client'], 'the runtime of a generated client', {
    sql: 'select * from users where name = ?',
    values: ['Ada'],
    sum: '0.3',
  }),
  works('redis', 'reads, writes and counts', ['Ada', 1, null]),
  works('sequelize', 'a model with validation, and a query through pg', {
    refused: 'SequelizeValidationError: Validation error: Validation len on name failed',
    rows: [{ sql: "select * from users where name = 'O''Hara'", values: '[]' }],
  }),
  works(['sql-js', 'sql.js'], 'a database in WebAssembly, from a file beside its code', [[2, 'Grace']]),
  worksWith(DECORATORS, 'typeorm', 'entities with decorators, on sql.js', [
    [2, 'Grace'],
    [1, 'Ada'],
  ]),
];
