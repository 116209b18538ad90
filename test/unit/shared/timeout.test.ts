import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';

import { expect, it } from 'vitest';

import { orNullAfter, TimeoutError, withTimeout } from '../../../shared/timeout.ts';

const NEVER = new Promise<never>(() => undefined);

it('rejects when the time is over', async () => {
  await expect(withTimeout(5, NEVER)).rejects.toThrow(new TimeoutError('no answer within 5 ms'));
  expect(await orNullAfter(5, NEVER)).toBeNull();
});

it('still takes what had arrived when the time was over, because this process stood still', async () => {
  const { port1: asked, port2: answers } = new MessageChannel();
  // A timer that is due runs before a message is read.
  await new Promise(resolve => setImmediate(resolve));
  const waiting = withTimeout(1, once(asked, 'message'));
  answers.postMessage('here', []);
  for (const startedAt = performance.now(); performance.now() - startedAt < 20;);
  expect(await waiting).toEqual(['here']);
  asked.close();
});
