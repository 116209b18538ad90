import Database from 'better-sqlite3';

export function check() {
  return new Database(':memory:').prepare('select 1 + 1 as sum').get();
}
