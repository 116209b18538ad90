import { describe, expect, it } from 'vitest';

import { MAX_VALUE_BYTES } from '../../../../protocol/limits.ts';
import { latch } from '../../fixtures.ts';
import { hosts } from './host.ts';

const host = hosts();

/** A function that streams what it is, and waits half-way. */
const streaming = (name: string): string => `
  export async function* letters(opened: Promise<void>) {
    yield '${name} begins';
    await opened;
    yield { of: '${name} ends' };
  }
`;

describe('a call that streams', () => {
  it('returns its items as an array when it has ended', async () => {
    const node = host();
    await node.push({ demo: streaming('one') });
    const { opened, open } = latch();
    open();
    expect(await node.value('demo', 'letters', opened)).toEqual(['one begins', { of: 'one ends' }]);
  });

  it('that started on an earlier version ends there, and is in flight until then', async () => {
    const node = host();
    await node.push({ demo: streaming('one') });
    const { opened, open } = latch();
    const began = node.value('demo', 'letters', opened);
    await node.push({ demo: streaming('two') });
    expect(node.server.describeDraining()).toMatchObject([{ inFlight: 1, heldBy: 'demo.letters' }]);
    const later = node.value('demo', 'letters', opened);
    open();
    expect(await began).toEqual(['one begins', { of: 'one ends' }]);
    expect(await later).toEqual(['two begins', { of: 'two ends' }]);
    expect(node.server.describe()['demo']).toMatchObject({ inFlight: 0 });
    expect(node.server.describeDraining()).toEqual([]);
  });

  it.each([
    ['a ReadableStream', `() => ReadableStream.from([1, 2])`, [1, 2]],
    ['a stream of Node', `() => require('node:stream').Readable.from([1, 2])`, [1, 2]],
    ['a promise of a generator', `async () => (async function* () { yield 1; })()`, [1]],
    ['nothing at all', `async function* () {}`, []],
    ['not only JSON', `async function* () { yield 1n; yield undefined; }`, [1n, undefined]],
  ])('can be %s', async (_, body, items) => {
    const node = host();
    await node.push({ demo: `export const f = ${body};` });
    expect(await node.value('demo', 'f')).toEqual(items);
  });

  it.each([
    [
      'an item too large',
      `'x'.repeat(${MAX_VALUE_BYTES})`,
      `the value is larger than ${MAX_VALUE_BYTES} bytes of JSON`,
    ],
    ['endless', `'x'.repeat(1000)`, `the value is larger than ${MAX_VALUE_BYTES} bytes of JSON`],
  ])('is refused when it is %s, and the generator is returned', async (_, item, message) => {
    const node = host();
    const source = `let returned = 0; export const seen = () => returned;
      export async function* f() { try { yield 1; for (;;) yield ${item}; } finally { returned += 1; } }`;
    await node.push({ demo: source });
    expect(await node.call('demo', 'f')).toMatchObject({ failure: 'badvalue', message });
    expect(await node.value('demo', 'seen')).toBe(1);
  });

  it('cancels a ReadableStream that is too large', async () => {
    const node = host();
    const source = `let cancelled = 0; export const seen = () => cancelled;
      export const f = () => new ReadableStream({
        pull: controller => controller.enqueue('x'.repeat(1000)),
        cancel: () => void (cancelled += 1),
      });`;
    await node.push({ demo: source });
    expect(await node.call('demo', 'f')).toMatchObject({ failure: 'badvalue' });
    expect(await node.value('demo', 'seen')).toBe(1);
  });

  it('fails with what it throws half-way', async () => {
    const node = host();
    await node.push({ demo: `export async function* f() { yield 1; throw new RangeError('half-way'); }` });
    expect(await node.call('demo', 'f')).toMatchObject({ failure: 'exception', type: 'RangeError' });
    expect(node.server.callsInFlight).toBe(0);
  });

  it('returns what it prints', async () => {
    const node = host();
    await node.push({ demo: `export async function* f() { yield 1; console.log('between'); yield 2; }` });
    expect(await node.call('demo', 'f')).toMatchObject({ json: '[1,2]', output: ['between'] });
  });
});
