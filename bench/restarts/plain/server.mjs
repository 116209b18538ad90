// An ordinary small server: calls under /tally/, health under / and /healthz, the counter as it is under /state.
import { createServer } from 'node:http';

import { answer, state } from './code/tally.mjs';

let stopping = false;

const server = createServer(({ url }, response) => {
  const [status, body] = respond(url);
  const text = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  // The connection's next request goes to another node.
  if (stopping) headers.connection = 'close';
  response.writeHead(status, headers).end(text);
});

function respond(url) {
  switch (url) {
    case '/tally/':
      return [200, answer()];
    case '/state':
      return [200, state()];
    case '/':
    case '/healthz':
      return [stopping ? 503 : 200, { stopping }];
    default:
      return [404, { url }];
  }
}

// Longer than the proxy keeps a connection that nobody uses: who closes first may close under a request.
server.keepAliveTimeout = 75_000;
server.listen(8080);

process.once('SIGTERM', () => {
  stopping = true;
  // Takes no more connections, closes those without a request, and lets the others end: then the process ends too.
  server.close();
});
