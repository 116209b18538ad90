import { createServer, type Socket } from 'node:net';
import { BSON } from 'mongodb';
import { listenWhile } from './listen-while.ts';

/** Runs a small MongoDB while `use` runs. It keeps what is inserted, and finds all of it. */
export function withMongo<T>(use: (url: string) => Promise<T>): Promise<T> {
  const documents: BSON.Document[] = [];
  const server = createServer(socket => serve(socket, documents));
  return listenWhile(server, port => use(`mongodb://127.0.0.1:${port}/shop`));
}

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

const SERVER = {
  helloOk: true,
  isWritablePrimary: true,
  maxBsonObjectSize: 2 ** 24,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  minWireVersion: 0,
  maxWireVersion: 21,
  ok: 1,
};

function serve(socket: Socket, documents: BSON.Document[]): void {
  let input: Buffer = Buffer.alloc(0);
  socket.on('data', (data: Buffer) => {
    input = Buffer.concat([input, data]);
    while (input.length >= 4 && input.length >= input.readInt32LE(0)) {
      const message = input.subarray(0, input.readInt32LE(0));
      input = input.subarray(message.length);
      const isQuery = message.readInt32LE(12) === OP_QUERY;
      const body = BSON.serialize(isQuery ? SERVER : answer(message, documents));
      const head = Buffer.alloc(isQuery ? 36 : 21);
      head.writeInt32LE(head.length + body.length, 0);
      head.writeInt32LE(message.readInt32LE(4), 8);
      head.writeInt32LE(isQuery ? OP_REPLY : OP_MSG, 12);
      if (isQuery) head.writeInt32LE(1, 32);
      socket.write(Buffer.concat([head, body]));
    }
  });
}

function answer(message: Buffer, documents: BSON.Document[]): BSON.Document {
  const { command, inserted } = sectionsOf(message);
  if ('hello' in command || 'ismaster' in command) return SERVER;
  if ('find' in command) return { cursor: { firstBatch: documents, id: 0n, ns: `shop.${command['find']}` }, ok: 1 };
  documents.push(...inserted);
  return { n: inserted.length, ok: 1 };
}

/** The command, and the documents that stand in a section of their own. */
function sectionsOf(message: Buffer): { command: BSON.Document; inserted: BSON.Document[] } {
  let command: BSON.Document = {};
  let inserted: BSON.Document[] = [];
  for (let at = 20; at < message.length;) {
    const size = message.readInt32LE(at + 1);
    if (message[at] === 0) command = BSON.deserialize(message.subarray(at + 1, at + 1 + size));
    else {
      const start = message.indexOf(0, at + 5) + 1;
      for (let next = start; next < at + 1 + size; next += message.readInt32LE(next))
        inserted.push(BSON.deserialize(message.subarray(next, next + message.readInt32LE(next))));
    }
    at += 1 + size;
  }
  if (Array.isArray(command['documents'])) inserted = command['documents'] as BSON.Document[];
  return { command, inserted };
}
