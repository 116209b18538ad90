// GET /<version>/<nodes>: a line of JSON for each node, as soon as it answers with that version or a later one, until so
// many have answered. Each is asked at its own address, again and again.
import { Resolver } from 'node:dns/promises';
import { createServer, get } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two questions to a node, and for one answer. */
const BETWEEN = 50;
const ANSWERING = 500;

const resolver = new Resolver({ timeout: 300, tries: 2 });

/** The state of the node at an address; null when it does not answer. */
function ask(address) {
  return new Promise(resolve => {
    const nobody = () => resolve(null);
    const options = { host: address, port: 8080, path: '/state', agent: false, signal: AbortSignal.timeout(ANSWERING) };
    get(options, response => void json(response).then(resolve, nobody)).once('error', nobody);
  });
}

async function follow(version, nodes, response) {
  const answered = new Set();
  /** Who is being asked, or has answered. */
  const asked = new Set();
  const askOnce = async address => {
    asked.add(address);
    const state = await ask(address);
    if (state === null || state.version < version) asked.delete(address);
    else if (!answered.has(state.node)) {
      answered.add(state.node);
      response.write(`${JSON.stringify(state)}\n`);
    }
  };
  while (answered.size < nodes && !response.destroyed) {
    const addresses = await resolver.resolve4('node').catch(() => []);
    for (const address of addresses) if (!asked.has(address)) void askOnce(address);
    await sleep(BETWEEN);
  }
  response.end();
}

createServer(({ url }, response) => {
  const [version, nodes] = url.slice(1).split('/').map(Number);
  void follow(version, nodes, response);
}).listen(8080);
