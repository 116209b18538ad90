import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { CommandContext } from '../../../../../controller/src/commands/context.ts';
import { tail } from '../../../../../controller/src/commands/logs/tail.ts';
import { NOBODY } from '../../../../../controller/src/fleet/departures.ts';
import { decode } from '../../../../../protocol/codec.ts';
import { tailRequest } from '../../../../../protocol/logs.ts';
import { subjectsOf } from '../../../../../protocol/subjects.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('the nodes that come and go share what a tail reads', async () => {
  const rates: number[] = [];
  let nodes = 100;
  const stop = new AbortController();
  const context = {
    subjects: subjectsOf('dino'),
    membership: {
      expected: async () => ({
        members: [{ node: 'fred' }],
        awaited: new Set(['fred']),
        departed: NOBODY,
        warning: null,
      }),
      present: () => Array.from({ length: nodes }),
    },
    nats: {
      publish: (_subject: string, body: Uint8Array) => rates.push(decode(tailRequest, body).rate),
      subscribe: () => ({ unsubscribe: () => undefined }),
      isClosed: () => false,
    },
  } as unknown as CommandContext;
  const all = { modules: [], node: null, level: 'info', grep: '', cookie: null, timeoutMs: 10 } as const;
  const ended = tail(
    context,
    { type: 'tail', ...all },
    () => undefined,
    stop.signal,
    () => undefined,
  );
  const settled = expect(ended).rejects.toThrow('gone');
  await vi.advanceTimersByTimeAsync(2_000);
  nodes = 20;
  await vi.advanceTimersByTimeAsync(2_000);
  stop.abort(new Error('gone'));
  await settled;
  expect(rates.slice(-3)).toEqual([10, 50, 0]);
});
