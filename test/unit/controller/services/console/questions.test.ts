import type { NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';

import { questions } from '../../../../../controller/src/services/console/feed/questions.ts';
import { descriptionOf } from '../../../fixtures.ts';
import { encode } from '../../../../../protocol/codec.ts';

type Deliver = (error: Error | null, message: { data: Uint8Array }) => void;

/** As much of a connection as questions use. What `answers` gives is sent back at once; null: nothing. */
function network(answers: (node: string) => object | null) {
  const subscriptions = new Map<string, Deliver>();
  const nats = {
    subscribe: (subject: string, { callback }: { callback: Deliver }) => {
      subscriptions.set(subject, callback);
      return { unsubscribe: () => subscriptions.delete(subject) };
    },
    publish: (subject: string, _: Uint8Array, { reply }: { reply: string }) => {
      const node = subject.split('.').at(-2) ?? '';
      const answer = answers(node);
      if (answer !== null)
        queueMicrotask(() => subscriptions.get(`${reply}.${node}`)?.(null, { data: encode(answer) }));
    },
  };
  return { nats: nats as unknown as NatsConnection, subscriptions };
}

describe('a question to a node', () => {
  it('has its answer, and leaves no subscription', async () => {
    const answer = { node: 'fred', revisions: [] };
    const { nats, subscriptions } = network(() => answer);
    expect(await questions(nats, 'dino').errors('fred', 'demo')).toEqual(answer);
    expect(subscriptions.size).toBe(0);
  });

  it('asks a node what it is, with what its versions have open', async () => {
    const answer = { ...descriptionOf('fred'), owned: { 'demo@3f2a9c81b0d4': { timers: 1, sockets: 0 } } };
    const { nats } = network(() => answer);
    expect(await questions(nats, 'dino').describe('fred')).toMatchObject({ owned: answer.owned });
  });

  it.each([
    ['a node that does not answer', null],
    ['an answer that can not be read', { node: 7 }],
  ])('has none of %s, and leaves no subscription', async (_, answer) => {
    const { nats, subscriptions } = network(() => answer);
    expect(await questions(nats, 'dino', 1).errors('fred', 'demo')).toBeNull();
    expect(subscriptions.size).toBe(0);
  });
});
