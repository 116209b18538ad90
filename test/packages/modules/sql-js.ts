import initSqlJs from 'sql.js';

/** sql.js is WebAssembly in a file beside its code. */
export async function check() {
  const { Database } = await initSqlJs();
  const db = new Database();
  db.run("create table users (name text); insert into users values ('Ada'), ('Grace')");
  return db.exec('select count(*), max(name) from users')[0]?.values;
}
