import { createServer, type Socket } from 'node:net';
import { listenWhile } from './listen-while.ts';

/** Runs a small Redis while `use` runs: strings, counters, and a script whose result is `1`. */
export function withRedis<T>(use: (port: number) => Promise<T>): Promise<T> {
  const values = new Map<string, string>();
  return listenWhile(
    createServer(socket => serve(socket, values)),
    use,
  );
}

function serve(socket: Socket, values: Map<string, string>): void {
  let input = '';
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    input += text;
    for (let command = parse(input); command !== null; command = parse(input)) {
      input = input.slice(command.length);
      socket.write(answer(command.words, values), 'latin1');
    }
  });
}

/** Reads a command, an array of bulk strings; null when it is not complete. */
function parse(input: string): { words: string[]; length: number } | null {
  const head = /^\*(\d+)\r\n/.exec(input);
  if (head === null) return null;
  let length = head[0].length;
  const words: string[] = [];
  for (let left = Number(head[1]); left > 0; left--) {
    const size = /^\$(\d+)\r\n/.exec(input.slice(length));
    if (size === null) return null;
    const start = length + size[0].length;
    length = start + Number(size[1]) + 2;
    if (length > input.length) return null;
    words.push(input.slice(start, length - 2));
  }
  return { words, length };
}

function answer([name = '', key = '', value = '']: readonly string[], values: Map<string, string>): string {
  const bulk = (text: string | undefined): string =>
    text === undefined ? '$-1\r\n' : `$${text.length}\r\n${text}\r\n`;
  switch (name.toUpperCase()) {
    case 'GET':
      return bulk(values.get(key));
    case 'SET':
      values.set(key, value);
      return '+OK\r\n';
    case 'INCR':
      values.set(key, String(Number(values.get(key) ?? 0) + 1));
      return `:${values.get(key)}\r\n`;
    case 'INFO':
      return bulk('redis_version:7.4.0\r\nloading:0\r\nmaxmemory_policy:noeviction\r\n');
    case 'EVALSHA':
    case 'EVAL':
      return bulk('1');
    case 'PING':
      return '+PONG\r\n';
    default:
      return '+OK\r\n';
  }
}
