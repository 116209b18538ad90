import { createServer, type Socket } from 'node:net';
import { listenWhile } from './listen-while.ts';

/** Runs a small PostgreSQL while `use` runs. It answers each query with one row: the text of the query and its values. */
export function withPostgres<T>(use: (port: number) => Promise<T>): Promise<T> {
  return listenWhile(createServer(serve), use);
}

const message = (type: string, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
};
const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const int32 = (value: number): Buffer => Buffer.from([value >> 24, value >> 16, value >> 8, value]);
const zeroEnded = (value: string): Buffer => Buffer.from(`${value}\0`);

const READY = message('Z', Buffer.from('I'));
const TEXT_TYPE = 25;

function serve(socket: Socket): void {
  let input: Buffer = Buffer.alloc(0);
  let isStarted = false;
  let sql = '';
  let values: string[] = [];
  socket.on('data', (data: Buffer) => {
    input = Buffer.concat([input, data]);
    // The first message has no type.
    for (;;) {
      const head = isStarted ? 5 : 4;
      if (input.length < head) return;
      const end = head - 4 + input.readInt32BE(head - 4);
      if (input.length < end) return;
      const type = isStarted ? input.toString('latin1', 0, 1) : 'startup';
      const body = input.subarray(head, end);
      input = input.subarray(end);
      isStarted = true;
      if (type === 'P') sql = stringsOf(body)[1] ?? '';
      if (type === 'B') values = valuesOf(body);
      if (type === 'Q') [sql, values] = [stringsOf(body)[0] ?? '', []];
      socket.write(answer(type, sql, values));
    }
  });
}

function answer(type: string, sql: string, values: readonly string[]): Buffer {
  const row = [
    message('D', int16(2), ...[sql, JSON.stringify(values)].flatMap(sized)),
    message('C', zeroEnded('SELECT 1')),
  ];
  const columns = message('T', int16(2), column('sql'), column('values'));
  switch (type) {
    case 'startup':
      return Buffer.concat([message('R', int32(0)), READY]);
    case 'Q':
      return Buffer.concat([columns, ...row, READY]);
    case 'P':
      return message('1');
    case 'B':
      return message('2');
    case 'D':
      return columns;
    case 'E':
      return Buffer.concat(row);
    case 'S':
      return READY;
    default:
      return Buffer.alloc(0);
  }
}

function column(name: string): Buffer {
  return Buffer.concat([zeroEnded(name), int32(0), int16(0), int32(TEXT_TYPE), int16(-1), int32(-1), int16(0)]);
}

function sized(value: string): Buffer[] {
  return [int32(Buffer.byteLength(value)), Buffer.from(value)];
}

function stringsOf(body: Buffer): string[] {
  return body.toString().split('\0');
}

/** The values of a Bind message, as text. */
function valuesOf(body: Buffer): string[] {
  let at = body.indexOf(0) + 1;
  at = body.indexOf(0, at) + 1;
  at += 2 + 2 * body.readInt16BE(at);
  const values: string[] = [];
  const count = body.readInt16BE(at);
  at += 2;
  for (let index = 0; index < count; index++) {
    const length = body.readInt32BE(at);
    values.push(body.toString('utf8', at + 4, at + 4 + Math.max(0, length)));
    at += 4 + Math.max(0, length);
  }
  return values;
}
