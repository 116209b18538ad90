const http = process.getBuiltinModule('node:http');

/** What the node needs of `node:http`, which no file imports: an import reads all exports, and some make Node.js load its `fetch`. */
export const { createServer, IncomingMessage, Server, ServerResponse, STATUS_CODES } = http;
