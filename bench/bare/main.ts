import { hostname } from 'node:os';
import { createInterface } from 'node:readline';

import { connect, type NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../protocol/codec.ts';
import { answerOrder, Asker } from './asker.ts';

/** Runs in a container beside NATS, as one that answers or as the one that asks. */
const [role] = process.argv.slice(2);

/** Answers whatever comes with as much as a node of Hotcast answers to a bundle. */
function answerAll(nats: NatsConnection): void {
  const answer = encode({ status: 'prepared', node: hostname(), revision: '0'.repeat(64) });
  nats.subscribe('bare', {
    callback: (error, { reply }) => {
      if (error === null && reply !== undefined) nats.publish(`${reply}.${hostname()}`, answer);
    },
  });
}

/** A line for each order, and a line of JSON for each answer. */
async function takeOrders(nats: NatsConnection): Promise<void> {
  const asker = new Asker(nats);
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answerOrder(asker, line))}\n`);
  }
}

const nats = await connect({ servers: 'nats://nats:4222', waitOnFirstConnect: true, maxReconnectAttempts: -1 });
if (role === 'node') answerAll(nats);
else await takeOrders(nats);
