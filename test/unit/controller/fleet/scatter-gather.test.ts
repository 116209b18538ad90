import type { NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';

import { scatterGather } from '../../../../controller/src/fleet/scatter-gather.ts';
import { encode } from '../../../../protocol/codec.ts';
import { pingAnswer } from '../../../../protocol/messages.ts';

type Deliver = (error: Error | null, message: { subject: string; data: Uint8Array }) => void;

/** As much of a connection as `scatterGather` uses, with a way to answer. */
function network() {
  const subscriptions = new Map<string, Deliver>();
  const subscribe = (subject: string, { callback }: { callback: Deliver }) => {
    subscriptions.set(subject, callback);
    return { unsubscribe: () => subscriptions.delete(subject) };
  };
  return {
    nats: { subscribe } as unknown as NatsConnection,
    subscriptions,
    answer: (inbox: string, ...nodes: string[]) => {
      for (const node of nodes) {
        const subject = `${inbox}.${node}`;
        subscriptions.get(`${inbox}.*`)?.(null, { subject, data: encode({ node, container: 'c' }) });
      }
    },
    deliver: (inbox: string, node: string, text: string) =>
      subscriptions.get(`${inbox}.*`)?.(null, { subject: `${inbox}.${node}`, data: new TextEncoder().encode(text) }),
  };
}

const FOR_EVER = 1_000_000;

const question = (timeoutMs: number, ...expected: string[]) => ({
  schema: pingAnswer,
  expected: new Set(expected),
  timeoutMs,
});

describe('scatterGather', () => {
  it('ends with the last expected answer, however long its timeoutMs', async () => {
    const { nats, answer, subscriptions } = network();
    const ask = (inbox: string): void => answer(inbox, 'fred', 'betty');
    const answers = await scatterGather(nats, { ...question(FOR_EVER, 'betty', 'fred'), ask });
    expect([...answers.keys()]).toEqual(['fred', 'betty']);
    expect(answers.get('fred')).toEqual({ answer: { node: 'fred', container: 'c' }, ms: expect.any(Number) as number });
    expect(subscriptions.size).toBe(0);
  });

  it('ends, and leaves no subscription, when nobody needs the answers any more', async () => {
    const { nats, subscriptions } = network();
    const gone = new AbortController();
    const reason = new Error('gone');
    const asked: string[] = [];
    const ask = (inbox: string): void => {
      asked.push(inbox);
      gone.abort(reason);
    };
    const request = { ...question(FOR_EVER, 'fred'), ask, signal: gone.signal };
    await expect(scatterGather(nats, request)).rejects.toBe(reason);
    expect(subscriptions.size).toBe(0);
    await expect(scatterGather(nats, request)).rejects.toBe(reason);
    expect(asked).toHaveLength(1);
  });

  it('ends without the silent ones when its timeoutMs is over', async () => {
    const { nats, answer, subscriptions } = network();
    const ask = (inbox: string): void => answer(inbox, 'fred');
    const answers = await scatterGather(nats, { ...question(1, 'fred', 'betty'), ask });
    expect([...answers.keys()]).toEqual(['fred']);
    expect(subscriptions.size).toBe(0);
  });

  it('keeps the answer of a node that nobody expected, and goes on waiting for the others', async () => {
    const { nats, answer } = network();
    const ask = (inbox: string): void => answer(inbox, 'stranger', 'stranger', 'fred');
    const answers = await scatterGather(nats, { ...question(FOR_EVER, 'fred'), ask });
    expect([...answers.keys()]).toEqual(['stranger', 'fred']);
  });

  it("takes NATS's word that nobody is subscribed, and an answer that makes no sense, for no answer", async () => {
    const { nats, answer, deliver } = network();
    const ask = (inbox: string): void => {
      deliver(inbox, 'fred', '');
      deliver(inbox, 'fred', '{"node":"FRED!"}');
      deliver(inbox, 'fred', 'hello');
      // NATS holds a node to its own name.
      deliver(inbox, 'betty', '{"node":"fred","container":"c"}');
      answer(inbox, 'betty');
    };
    const answers = await scatterGather(nats, { ...question(1, 'fred', 'betty'), ask });
    expect([...answers.keys()]).toEqual(['betty']);
  });

  it('waits for no node that leaves, before or after the question', async () => {
    const { nats, answer } = network();
    const left = new Set(['wilma']);
    let tell = (): void => undefined;
    const departed = {
      has: (node: string) => left.has(node),
      onChange: (listener: () => void) => {
        tell = listener;
        return { [Symbol.dispose]: () => (tell = () => undefined) };
      },
    };
    const ask = (inbox: string): void => {
      answer(inbox, 'fred');
      left.add('betty');
      tell();
    };
    const answers = await scatterGather(nats, { ...question(FOR_EVER, 'fred', 'betty', 'wilma'), departed, ask });
    expect([...answers.keys()]).toEqual(['fred']);
  });

  it('waits for nobody when nobody is expected', async () => {
    const { nats } = network();
    expect(await scatterGather(nats, { ...question(FOR_EVER), ask: () => undefined })).toEqual(new Map());
  });

  it('goes on waiting for a node that fetches packages, and for no other', async () => {
    const { nats, answer, deliver } = network();
    let inbox = '';
    const ask = (asked: string): void => {
      inbox = asked;
      deliver(inbox, 'fred', '{"status":"fetching","node":"fred"}');
      // NATS holds a node to its own name.
      deliver(inbox, 'barney', '{"status":"fetching","node":"wilma"}');
    };
    const answers = scatterGather(nats, {
      ...question(1, 'fred', 'betty', 'wilma'),
      packagesTimeoutMs: FOR_EVER,
      ask,
    });
    await new Promise(resolve => setTimeout(resolve, 20));
    answer(inbox, 'fred');
    expect([...(await answers).keys()]).toEqual(['fred']);
  });

  it('ends without a node that fetches packages when its time is over too', async () => {
    const { nats, deliver } = network();
    const ask = (inbox: string): void => deliver(inbox, 'fred', '{"status":"fetching","node":"fred"}');
    expect(await scatterGather(nats, { ...question(1, 'fred'), packagesTimeoutMs: 2, ask })).toEqual(new Map());
  });

  it('keeps answers that come before the question is known to be sent', async () => {
    const { nats, answer } = network();
    const ask = async (inbox: string): Promise<void> => {
      answer(inbox, 'fred');
      await Promise.resolve();
    };
    expect((await scatterGather(nats, { ...question(FOR_EVER, 'fred'), ask })).size).toBe(1);
  });

  it('tells how many have answered, one by one', async () => {
    const { nats, answer } = network();
    const told: number[] = [];
    const ask = (inbox: string): void => answer(inbox, 'fred', 'betty');
    await scatterGather(nats, { ...question(FOR_EVER, 'fred', 'betty'), ask, onAnswer: count => told.push(count) });
    expect(told).toEqual([1, 2]);
  });

  it('throws what the asking throws, and leaves no subscription behind', async () => {
    const { nats, subscriptions } = network();
    const fault = new Error('the stream is full');
    const ask = (): Promise<void> => Promise.reject(fault);
    await expect(scatterGather(nats, { ...question(FOR_EVER, 'fred'), ask })).rejects.toBe(fault);
    expect(subscriptions.size).toBe(0);
  });

  it('asks each time on an inbox of its own', async () => {
    const { nats, answer } = network();
    const inboxes: string[] = [];
    const ask = (inbox: string): void => {
      inboxes.push(inbox);
      answer(inbox, 'fred');
    };
    await Promise.all([1, 2].map(() => scatterGather(nats, { ...question(FOR_EVER, 'fred'), ask })));
    expect(new Set(inboxes).size).toBe(2);
  });
});
