import { randomUUID } from 'node:crypto';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { LogTail } from '../../../../../node-image/src/sandbox/logs/log-tail.ts';
import { type LogEntry, type LogMessage, TAIL_LEASE_MS, type TailRequest } from '../../../../../protocol/logs.ts';

const entry: LogEntry = { at: 1, module: 'demo', revision: 'a'.repeat(64), level: 'info', text: 'boss' };

const request = (more: Partial<TailRequest> = {}): TailRequest => ({
  id: randomUUID(),
  rate: 100,
  modules: [],
  level: 'info',
  grep: '',
  ...more,
});

let sent: Omit<LogMessage, 'node'>[];
let tail: LogTail;

/** The texts that were sent. */
const texts = (): string[] => sent.flatMap(({ entries }) => entries.map(({ text }) => text));

/** Logs as VersionLogger does. */
function log(more: Partial<LogEntry> = {}): void {
  const { module, revision, level, text } = { ...entry, ...more };
  if (tail.isOpen) tail.add({ module, revision }, level, text);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  sent = [];
  tail = new LogTail(message => sent.push(message));
});
afterEach(() => void vi.useRealTimers());

describe('the lease of a tail', () => {
  it('has entries sent until it ends, if nobody renews it', () => {
    log({ text: 'before' });
    const asked = request();
    tail.lease(asked);
    log({ text: 'first' });
    vi.advanceTimersByTime(TAIL_LEASE_MS - 1_000);
    tail.lease(asked);
    vi.advanceTimersByTime(TAIL_LEASE_MS - 1_000);
    log({ text: 'renewed' });
    vi.advanceTimersByTime(1_001);
    log({ text: 'after' });
    vi.advanceTimersByTime(60_000);
    expect(texts()).toEqual(['first', 'renewed']);
  });

  it('ends at once when its tail ends, and leaves that of another', () => {
    const [one, other] = [request(), request({ grep: 'other' })];
    tail.lease(one);
    tail.lease(other);
    tail.lease({ ...one, rate: 0 });
    log({ text: 'nobody asks for it' });
    log({ text: 'the other does' });
    vi.advanceTimersByTime(1_000);
    expect(texts()).toEqual(['the other does']);
    tail.lease({ ...other, rate: 0 });
    expect(tail.isOpen).toBe(false);
  });
});

describe('a tail', () => {
  it('is sent what its modules log, from its level on, with its text', () => {
    tail.lease(request({ modules: ['demo', 'counter'], level: 'warn', grep: 'no ' }));
    log({ text: 'no info', level: 'info' });
    log({ text: 'no module', module: 'other', level: 'error' });
    log({ text: 'NO text', level: 'error' });
    log({ text: 'no warning', level: 'warn' });
    log({ text: 'no error', module: 'counter', level: 'error' });
    vi.advanceTimersByTime(1_000);
    expect(texts()).toEqual(['no warning', 'no error']);
  });

  it('gets entries together, soon after the first', () => {
    tail.lease(request());
    for (let line = 0; line < 50; line += 1) log();
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(sent.map(({ entries }) => entries.length)).toEqual([50]);
  });

  it('gets a burst and then its rate, and the number of the others, however much is logged', () => {
    tail.lease(request({ rate: 100 }));
    for (let ms = 0; ms < 10_000; ms += 1) {
      log();
      vi.advanceTimersByTime(1);
      if (ms % 1_000 === 0) tail.lease(request({ rate: 100 }));
    }
    vi.advanceTimersByTime(500);
    const dropped = sent.reduce((sum, message) => sum + message.dropped, 0);
    // What the rate allows is looked at a few times a second.
    expect(texts().length).toBeGreaterThanOrEqual(1_140);
    expect(texts().length).toBeLessThanOrEqual(1_210);
    expect(dropped + texts().length).toBe(10_000);
    // A flood costs two messages a second.
    expect(sent.length).toBeLessThanOrEqual(25);
  });

  it('has the clock read once for many lines that are dropped', () => {
    let reads = 0;
    tail = new LogTail(
      message => sent.push(message),
      () => {
        reads += 1;
        return performance.now();
      },
    );
    tail.lease(request({ rate: 1 }));
    for (let line = 0; line < 10; line += 1) log();
    const before = reads;
    for (let line = 0; line < 1_000; line += 1) log();
    expect(reads).toBe(before);
    vi.advanceTimersByTime(500);
    expect(sent.map(({ entries, dropped }) => [entries.length, dropped])).toEqual([[2, 1_008]]);
  });

  it('gets fewer long entries, and large messages in parts', () => {
    tail.lease(request({ rate: 100 }));
    for (let line = 0; line < 1_000; line += 1) log({ text: 'x'.repeat(10_000) });
    vi.advanceTimersByTime(100);
    const size = sent.map(message => JSON.stringify(message).length);
    expect(Math.max(...size)).toBeLessThan(50_000);
    expect(texts().length).toBeLessThan(10);
  });

  it('is told of dropped entries also when nothing follows', () => {
    tail.lease(request({ rate: 1 }));
    for (let line = 0; line < 10; line += 1) log();
    vi.advanceTimersByTime(500);
    log();
    vi.advanceTimersByTime(500);
    expect(sent.map(({ entries, dropped }) => [entries.length, dropped])).toEqual([
      [2, 8],
      [0, 1],
    ]);
  });
});
