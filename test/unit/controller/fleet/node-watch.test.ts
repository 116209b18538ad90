import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Container } from '../../../../controller/src/fleet/roster.ts';
import { MAX_WAITING } from '../../../../controller/src/fleet/change-writer.ts';
import { watchNodes } from '../../../../controller/src/fleet/node-watch.ts';
import type { NodeChange } from '../../../../protocol/history/node-change.ts';
import type { NodeDescription } from '../../../../protocol/messages.ts';
import { descriptionOf, recordingLog } from '../../fixtures.ts';

type Status = { readonly type: 'disconnect' | 'reconnect' };

/** A watch, what it has written, and how something happens to it. */
async function watching(before: readonly NodeChange[] = [], containers: readonly Container[] | null = null) {
  const written: NodeChange[] = [];
  let isBroken = false;
  let listener = (_kind: string, _description: NodeDescription): void => undefined;
  let tellStatus = (_status: Status): void => undefined;
  const log = recordingLog();
  const status = async function* () {
    for (;;) yield await new Promise<Status>(resolve => (tellStatus = resolve));
  };
  const watch = await watchNodes({
    nats: { status } as unknown as Parameters<typeof watchNodes>[0]['nats'],
    membership: { onEvent: heard => void (listener = heard), containers: async () => containers },
    audit: {
      nodeChanges: async () => [...before],
      writeNodeChange: async change => {
        if (isBroken) throw new Error('no responders');
        written.push(change);
      },
    },
    log,
  });
  stops.push(watch);
  return {
    log,
    /** `fred started`, … */
    said: () => written.map(({ node, change }) => `${node} ${change}`),
    details: () => written.map(({ detail }) => detail),
    times: () => written.map(({ at }) => at),
    heard: (kind: string, node: string, more: Partial<NodeDescription> = {}) =>
      listener(kind, { ...descriptionOf(node), startedAt: 1, ...more }),
    connection: async (type: Status['type']) => {
      tellStatus({ type });
      await vi.advanceTimersByTimeAsync(0);
    },
    breakAudit: (broken: boolean) => void (isBroken = broken),
  };
}

const stops: Disposable[] = [];
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  stops.splice(0).forEach(stop => stop[Symbol.dispose]());
  vi.useRealTimers();
});

const fredStarted = {
  at: 1,
  node: 'fred',
  container: 'c1',
  startedAt: 1,
  change: 'started',
  detail: '',
} as const satisfies NodeChange;

describe('the watch on nodes', () => {
  it('writes that a node starts, ends and starts again, once each', async () => {
    const { heard, said, details } = await watching();
    heard('heartbeat', 'fred', { version: '0.3.0' });
    heard('heartbeat', 'fred');
    heard('goodbye', 'fred');
    heard('goodbye', 'fred', { hasEnded: true });
    heard('heartbeat', 'fred', { startedAt: 2 });
    heard('heartbeat', 'fred', { startedAt: 3, container: 'c2' });
    await vi.advanceTimersByTimeAsync(0);
    expect(said()).toEqual(['fred started', 'fred stopped', 'fred started', 'fred started']);
    expect(details().slice(0, 2)).toEqual(['Hotcast 0.3.0', 'it said goodbye']);
  });

  it('writes that a node is silent after three heartbeats of its own, and that it is back', async () => {
    const { heard, said, details } = await watching();
    heard('heartbeat', 'fred');
    heard('heartbeat', 'betty', { heartbeatInterval: 30_000 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(said()).toEqual(['fred started', 'betty started', 'fred silent']);
    expect(details().at(-1)).toBe('no heartbeat comes: blocked, cut off or dead');
    heard('heartbeat', 'fred');
    await vi.advanceTimersByTimeAsync(0);
    expect(said().at(-1)).toBe('fred back');
    await vi.advanceTimersByTimeAsync(31_000);
    expect(said().slice(-2)).toEqual(['fred silent', 'betty silent']);
  });

  it('says what the engine knows of the container of a silent node', async () => {
    const { heard, details } = await watching([], [{ id: 'c9', name: 'hotcast-node-2', state: 'running' }]);
    heard('heartbeat', 'fred');
    await vi.advanceTimersByTimeAsync(8_000);
    expect(details().at(-1)).toBe('no heartbeat comes, and the Docker engine here runs no container of it');
  });

  it('tells nothing twice when the controller starts again, and what has changed meanwhile', async () => {
    const { heard, said } = await watching([fredStarted, { ...fredStarted, node: 'betty' }]);
    heard('heartbeat', 'fred');
    heard('heartbeat', 'wilma');
    await vi.advanceTimersByTimeAsync(0);
    expect(said()).toEqual(['wilma started']);
    const beats = setInterval(() => ['fred', 'wilma'].forEach(node => heard('heartbeat', node)), 2_000);
    await vi.advanceTimersByTimeAsync(181_000);
    clearInterval(beats);
    expect(said()).toEqual(['wilma started', 'betty silent']);
  });

  it('takes no node for silent while the controller itself is cut off', async () => {
    const { heard, said, connection } = await watching();
    heard('heartbeat', 'fred');
    await connection('disconnect');
    await vi.advanceTimersByTimeAsync(60_000);
    await connection('reconnect');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(said()).toEqual(['fred started']);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(said()).toEqual(['fred started', 'fred silent']);
  });

  it('writes a limited number for a node that starts again and again, and how many it left out', async () => {
    const { heard, said, details } = await watching();
    for (let startedAt = 1; startedAt <= 50; startedAt += 1) heard('heartbeat', 'fred', { startedAt });
    heard('heartbeat', 'betty');
    await vi.advanceTimersByTimeAsync(0);
    expect(said().filter(line => line.startsWith('fred'))).toHaveLength(20);
    expect(said().at(-1)).toBe('betty started');
    await vi.advanceTimersByTimeAsync(305_000);
    heard('heartbeat', 'fred', { startedAt: 99 });
    await vi.advanceTimersByTimeAsync(0);
    expect(details().join('\n')).toMatch(/3\d starts and ends before were too many to be written/);
  });

  it('writes how such a node is in the end, as soon as it can', async () => {
    const { heard, said, details } = await watching();
    for (let startedAt = 1; startedAt <= 25; startedAt += 1) heard('heartbeat', 'fred', { startedAt });
    for (let seconds = 0; seconds < 310; seconds += 2) {
      heard('heartbeat', 'fred', { startedAt: 25 });
      await vi.advanceTimersByTimeAsync(2_000);
    }
    expect(said()).toEqual(Array.from({ length: 21 }, () => 'fred started'));
    expect(details().at(-1)).toBe('4 starts and ends before were too many to be written');
  });

  it('keeps what cannot be written, says so once, and writes it in its order as soon as it can be', async () => {
    const { heard, said, times, breakAudit, log } = await watching();
    breakAudit(true);
    for (const node of ['fred', 'betty']) heard('heartbeat', node);
    heard('goodbye', 'fred');
    const happenedAt = Date.now();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(log.logged).toHaveLength(1);
    expect(said()).toEqual([]);
    breakAudit(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(said()).toEqual(['fred started', 'betty started', 'fred stopped']);
    expect(times()).toEqual([happenedAt, happenedAt, happenedAt]);
    heard('heartbeat', 'wilma');
    await vi.advanceTimersByTimeAsync(0);
    expect(said().at(-1)).toBe('wilma started');
  });

  it('keeps only so many changes for an audit that takes none, and then writes how those nodes are', async () => {
    const { heard, said, details, breakAudit } = await watching();
    breakAudit(true);
    for (let index = 0; index < MAX_WAITING; index += 1) heard('heartbeat', `n-${index}`);
    heard('heartbeat', 'fred');
    heard('goodbye', 'fred');
    breakAudit(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(said().filter(each => each.startsWith('n-'))).toHaveLength(MAX_WAITING);
    expect(said().filter(each => each.startsWith('fred'))).toEqual(['fred stopped']);
    expect(details().at(-1)).toBe('1 starts and ends before were too many to be written');
  });
});
