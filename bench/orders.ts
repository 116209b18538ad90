import { createInterface } from 'node:readline';

import type { NatsConnection } from '@nats-io/transport-node';

/** A program in a container: it answers each line of its input, a name and a number, with a line of JSON (driver.ts). */
export async function serveOrders(orders: Readonly<Record<string, (argument: number) => Promise<object>>>) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [name = '', argument] = line.split(' ');
    let answer: object;
    try {
      answer = (await orders[name]?.(Number(argument))) ?? { error: 'unknown order' };
    } catch (error) {
      answer = { error: String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

/**
 * The bare round trip: publishes a message once and waits for an answer of every node.
 *
 * @param inbox answers come to this subject and a token below it.
 * @returns the time between the two (milliseconds).
 * @throws Error when an answer does not come in time.
 */
export async function fanOut(
  nats: NatsConnection,
  { subject, inbox, payload }: { readonly subject: string; readonly inbox: string; readonly payload: Uint8Array },
  nodes: number,
  timeoutMs: number,
): Promise<number> {
  const answers = nats.subscribe(`${inbox}.*`, { max: nodes });
  const timer = setTimeout(() => answers.unsubscribe(), timeoutMs);
  await nats.flush();
  const startedAt = performance.now();
  nats.publish(subject, payload, { reply: inbox });
  let count = 0;
  for await (const _ of answers) count += 1;
  clearTimeout(timer);
  if (count < nodes) throw new Error(`${count} of ${nodes} nodes answered`);
  return performance.now() - startedAt;
}
