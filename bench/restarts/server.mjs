// An ordinary small server: calls under /tally/, health under all else. It prints its state once it listens.
import { createServer } from 'node:http';

import { answer, state } from './code/tally.mjs';

let stopping = false;

const server = createServer(({ url }, response) => {
  const isCall = url === '/tally/';
  const text = JSON.stringify(isCall ? answer() : state());
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  // The connection's next request goes to another node.
  if (stopping) headers.connection = 'close';
  response.writeHead(stopping && !isCall ? 503 : 200, headers).end(text);
});

// Longer than the proxy keeps an idle connection: the side that closes first can close under a request.
server.keepAliveTimeout = 75_000;
server.listen(8080, () => console.log(JSON.stringify(state())));

process.once('SIGTERM', () => {
  stopping = true;
  // Refuses connections, closes those without a request, and lets the others end; then the process ends too.
  server.close();
});
