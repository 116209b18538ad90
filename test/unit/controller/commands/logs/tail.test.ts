import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { CommandContext } from '../../../../../controller/src/commands/context.ts';
import { tail } from '../../../../../controller/src/commands/logs/tail.ts';
import { NOBODY } from '../../../../../controller/src/fleet/departures.ts';
import { decode, encode } from '../../../../../protocol/codec.ts';
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
      present: () => Array.from({ length: nodes }, (_, index) => ({ node: `node-${index}` })),
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
  expect(rates.slice(-3)).toEqual([3, 15, 0]);
});

it('a tail of a group asks its nodes, also those that come later, and shows nothing of others', async () => {
  const asked: string[][] = [];
  const nodes = [{ node: 'fred' }, { node: 'worker-1' }];
  const shown: unknown[] = [];
  const stop = new AbortController();
  let told: (subject: string, data: Uint8Array) => void = () => undefined;
  const subjects = subjectsOf('dino');
  const context = {
    subjects,
    groups: async () => new Map([['web', []]]),
    membership: {
      expected: async () => ({ members: [...nodes], awaited: new Set(['fred', 'worker-1']), warning: null }),
      present: () => nodes,
    },
    nats: {
      publish: (subject: string, body: Uint8Array) => asked.push([subject, String(decode(tailRequest, body).rate)]),
      subscribe: (subject: string, { callback }: { callback: (error: null, message: object) => void }) => {
        if (subject === subjects.logs) told = (from, data) => callback(null, { subject: from, data });
        return { unsubscribe: () => undefined };
      },
      isClosed: () => false,
    },
  } as unknown as CommandContext;
  const command = { modules: [], node: null, group: 'worker', level: 'info', grep: '', cookie: null, timeoutMs: 10 };
  const ended = tail(
    context,
    { type: 'tail', ...command, level: 'info' },
    report => void (report.type === 'logged' && shown.push(...report.entries.map(entry => entry.nodes))),
    stop.signal,
    () => undefined,
  );
  const settled = expect(ended).rejects.toThrow('gone');
  await vi.advanceTimersByTimeAsync(100);
  nodes.push({ node: 'worker-2' });
  const entry = { at: 1, module: 'demo', revision: 'a'.repeat(64), level: 'info', text: 'boss' };
  for (const { node } of nodes) told(subjects.log(node), encode({ node, entries: [entry], dropped: 0 }));
  await vi.advanceTimersByTimeAsync(2_000);
  stop.abort(new Error('gone'));
  await settled;
  expect(shown).toEqual([['worker-1', 'worker-2']]);
  expect(asked.map(([subject]) => subject)).toEqual(
    ['worker-1', 'worker-1', 'worker-2', 'worker-1', 'worker-2'].map(node => subjects.node(node, 'tail')),
  );
});
