import { once } from 'node:events';
import { connect } from 'node:net';

import { startHttpServer } from '../../../../node-image/src/http/server.ts';
import { installWebClasses } from '../../../../node-image/src/http/web/install.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { bundleOf, headOf, recordingLog } from '../../fixtures.ts';

// A process of its own for request-memory.test.ts: it serves requests of one connection, and prints the bytes that each has left
// in the heap after a collection of the young generation.

const REQUESTS = 2_000;
const REQUEST = 'GET /web/hello HTTP/1.1\r\nhost: bedrock\r\n\r\n';

installWebClasses();
const codeServer = new CodeServer(recordingLog());
const bundle = bundleOf('web', `exports.default = { fetch: () => new Response('hello') };`);
codeServer.prepare(bundle);
codeServer.commit([headOf('web', bundle.revision, 1)]);
const server = await startHttpServer({ port: 0, node: 'fred', codeServer });
const socket = connect(server.port, '127.0.0.1');
await once(socket, 'connect');

async function serve(): Promise<void> {
  for (let request = 0; request < REQUESTS; request += 1) {
    socket.write(REQUEST);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    if (!answer.toString('latin1').endsWith('hello')) throw new Error(answer.toString('latin1'));
  }
}

/** The heap in use after a collection of the young generation; twice, because the first one keeps what is not old enough. */
function heap(): number {
  for (let round = 0; round < 2; round += 1) globalThis.gc?.({ type: 'minor' });
  return process.memoryUsage().heapUsed;
}

await serve();
globalThis.gc?.();
const before = heap();
await serve();
console.log((heap() - before) / REQUESTS);
socket.destroy();
await server[Symbol.asyncDispose]();
