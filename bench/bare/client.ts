import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

import { connect } from '@nats-io/transport-node';

import { encode } from '../../protocol/codec.ts';
import { fanOut, serveOrders } from '../orders.ts';

/** Runs in a container beside NATS: as a node, which only answers, or as the driver, which asks them all. */
const [role] = process.argv.slice(2);

/** About the size of a head (bytes), and of a node's answer to a bundle. */
const SMALL = 256;
const ANSWER = encode({ status: 'prepared', node: hostname(), revision: '0'.repeat(64) });

const nats = await connect({ servers: 'nats://nats:4222', waitOnFirstConnect: true, maxReconnectAttempts: -1 });
let nodes = 0;
let turn = 0;

/** Microseconds. */
async function ask(bytes: number, timeoutMs = 10_000): Promise<number> {
  turn += 1;
  const message = { subject: 'bare', payload: randomBytes(bytes), inbox: `answers.${turn}` };
  return 1_000 * (await fanOut(nats, message, nodes, timeoutMs));
}

if (role === 'node') {
  nats.subscribe('bare', { callback: (_, { reply = '' }) => nats.publish(`${reply}.${hostname()}`, ANSWER) });
} else {
  await serveOrders({
    // Nodes connect one after the other: asks until all are there.
    expect: async count => {
      nodes = count;
      const deadline = performance.now() + 30_000;
      for (;;) {
        try {
          return { took: await ask(0, 100) };
        } catch (error) {
          if (performance.now() > deadline) throw error;
        }
      }
    },
    once: async bytes => ({ took: await ask(bytes) }),
    // The least that a push of two phases needs.
    twice: async bytes => ({ took: (await ask(bytes)) + (await ask(SMALL)) }),
  });
}
