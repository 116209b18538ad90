import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { parse as parseSync } from 'csv-parse/sync';

export async function check() {
  const rows: unknown[] = [];
  for await (const row of Readable.from('name,age\n"Ada, Countess",36\n').pipe(parse({ columns: true })))
    rows.push(row);
  return [rows, parseSync('1;2\n3;4', { delimiter: ';', cast: true })];
}
