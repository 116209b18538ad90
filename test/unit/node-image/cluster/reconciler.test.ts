import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { DecodeError } from '../../../../protocol/errors.ts';
import type { Head } from '../../../../protocol/head.ts';
import { bundleOf, headOf } from '../../fixtures.ts';
import { nodeBeside } from './node-beside.ts';

const first = bundleOf('demo', 'exports.version = 1;');
const second = bundleOf('demo', 'exports.version = 2;');
const throwing = bundleOf('bad', `throw new Error('no');`);

// No jitter: a node that is behind reads at once.
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0));
afterEach(() => void vi.restoreAllMocks());

describe('compare', () => {
  it('reads the stream and applies it when the digest has an unseen head', async () => {
    const { reconciler, codeServer, running } = nodeBeside([headOf('demo', first.revision, 5)], [first]);
    await reconciler.compare({ heads: { demo: 5 } });
    expect(running('demo')).toBe(1);
    expect(codeServer.describe()).toMatchObject({ demo: { revision: first.revision, sequence: 5 } });
  });

  it('has the code server drop the data that no node needs any more, as the digest says', async () => {
    const { reconciler, codeServer } = nodeBeside([headOf('demo', first.revision, 5)], [first]);
    await reconciler.readHeads();
    const drop = vi.spyOn(codeServer, 'dropUnneededData');
    const digest = { heads: { demo: 5 }, revertible: [] };
    await reconciler.compare(digest);
    expect(drop).toHaveBeenCalledExactlyOnceWith(digest);
  });

  it('does not read when nothing in the digest is new', async () => {
    const { reconciler, stream } = nodeBeside([headOf('demo', first.revision, 5)], [first]);
    await reconciler.readHeads();
    for (const heads of [{}, { demo: 5 }, { demo: 4 }]) await reconciler.compare({ heads });
    expect(stream.reads).toBe(1);
  });

  it('reads once for digests that come while it reads', async () => {
    const { reconciler, stream } = nodeBeside([headOf('demo', first.revision, 5)], [first]);
    await Promise.all([1, 2, 3].map(() => reconciler.compare({ heads: { demo: 5 } })));
    expect(stream.reads).toBe(1);
  });

  it('reads again at the next digest when the stream could not be read', async () => {
    const { reconciler, stream, running, log } = nodeBeside([headOf('demo', first.revision, 5)], [first]);
    stream.fault = new Error('no route');
    await reconciler.compare({ heads: { demo: 5 } });
    expect(running('demo')).toBeUndefined();
    expect(log.logged).toMatchObject([{ level: 'warn', fields: { err: stream.fault } }]);
    stream.fault = null;
    await reconciler.compare({ heads: { demo: 5 } });
    expect(running('demo')).toBe(1);
  });

  it('does not read for ever for a head that throws while it loads', async () => {
    const { reconciler, stream } = nodeBeside([headOf('bad', throwing.revision, 5)], [throwing]);
    await reconciler.compare({ heads: { bad: 5 } });
    await reconciler.compare({ heads: { bad: 5 } });
    expect(stream.reads).toBe(1);
  });
});

describe('readHeads', () => {
  it('applies the other heads when one is refused', async () => {
    const heads = [
      headOf('bad', throwing.revision, 1),
      headOf('lost', 'f'.repeat(64), 2),
      headOf('demo', first.revision, 3),
    ];
    const { reconciler, running, log } = nodeBeside(heads, [throwing, first]);
    await reconciler.readHeads();
    expect(running('demo')).toBe(1);
    const outcomes = log.logged.filter(({ message }) => message === 'could not catch up with the stream');
    expect(outcomes.map(({ fields }) => fields)).toMatchObject([
      { heads: [{ module: 'bad' }], outcome: { reason: 'on_load_failure' } },
      { heads: [{ module: 'lost' }], outcome: { reason: 'nofile' } },
    ]);
  });

  it('applies what could be read, and reads the rest at the next digest', async () => {
    const heads = [headOf('counter', second.revision, 1), headOf('demo', first.revision, 2)];
    const counter = { ...second, module: 'counter' };
    const { reconciler, running, stream, log } = nodeBeside(heads, [first, counter]);
    vi.spyOn(stream, 'bundle').mockRejectedValueOnce(new Error('no route'));
    await reconciler.readHeads();
    expect([running('counter'), running('demo')]).toEqual([undefined, 1]);
    expect(log.logged.at(-1)).toMatchObject({ level: 'warn', fields: { err: { message: 'no route' } } });
    await reconciler.compare({ heads: { counter: 1, demo: 2 } });
    expect(running('counter')).toBe(2);
  });

  it('does not load again what it applied', async () => {
    const { reconciler, stream, log } = nodeBeside([headOf('demo', first.revision, 5)], [first]);
    await reconciler.readHeads();
    await reconciler.readHeads();
    expect(stream.bundleReads).toBe(1);
    expect(log.logged.map(({ message }) => message)).toEqual(['loaded', 'caught up with the stream']);
  });

  it('applies a removal, which has no bundle', async () => {
    const { reconciler, stream, running, codeServer } = nodeBeside([headOf('demo', first.revision, 5)], [first]);
    await reconciler.readHeads();
    stream.stored.splice(0, 1, headOf('demo', null, 6));
    await reconciler.readHeads();
    expect(running('demo')).toBeUndefined();
    expect(codeServer.headSeen('demo')).toBe(6);
  });
});

describe('a replica of the stream that is behind', () => {
  const [old, next] = [headOf('demo', first.revision, 5), headOf('demo', second.revision, 6)];

  it('is read again until it has what a digest names', async () => {
    const { reconciler, stream, running } = nodeBeside([next], [first, second]);
    vi.spyOn(stream, 'heads').mockResolvedValueOnce([old]).mockResolvedValueOnce([old]);
    await reconciler.compare({ heads: { demo: 6 } });
    expect(running('demo')).toBe(2);
  });

  it('does not let a node start on older heads than those of a digest that came meanwhile', async () => {
    const { reconciler, stream, running } = nodeBeside([next], [first, second]);
    vi.spyOn(stream, 'heads').mockImplementationOnce(async () => {
      void reconciler.compare({ heads: { demo: 6 } });
      return [old];
    });
    vi.spyOn(stream, 'bundle').mockImplementationOnce(async () => first);
    await reconciler.start();
    expect(running('demo')).toBe(2);
  });

  it('is not waited for again and again, where a digest names what this node can not read', async () => {
    const { reconciler, stream, running } = nodeBeside([old], [first]);
    await reconciler.compare({ heads: { demo: 5, poison: 9 } });
    expect(running('demo')).toBe(1);
    const reads = stream.reads;
    expect(reads).toBeGreaterThan(1);
    await reconciler.compare({ heads: { demo: 5, poison: 9 } });
    expect(stream.reads).toBe(reads + 1);
  });
});

describe('heads of one push', () => {
  const together = [headOf('demo', first.revision, 5), headOf('bad', throwing.revision, 6)];

  it('are applied together: none when one throws', async () => {
    const { reconciler, running } = nodeBeside(
      together.map(head => ({ ...head, push: 'one' })),
      [first, throwing],
    );
    await reconciler.readHeads();
    expect(running('demo')).toBeUndefined();
  });

  it('of two pushes are applied separately', async () => {
    const { reconciler, running } = nodeBeside(together, [first, throwing]);
    await reconciler.readHeads();
    expect(running('demo')).toBe(1);
  });
});

describe('a head with a canary', () => {
  const onTrial = (name: string): Head => ({
    ...headOf('demo', first.revision, 5),
    canary: { revision: second.revision, manifest: null, scope: { type: 'names', names: [name] }, maxErrors: 0 },
  });

  it("makes a node in its scope run the canary's revision", async () => {
    const { reconciler, running } = nodeBeside([onTrial('fred')], [first, second]);
    await reconciler.readHeads();
    expect(running('demo')).toBe(2);
  });

  it("makes every other node run the head's own revision, and fetch nothing else", async () => {
    const { reconciler, running, stream } = nodeBeside([onTrial('betty')], [first, second]);
    await reconciler.readHeads();
    expect(running('demo')).toBe(1);
    expect(stream.bundleReads).toBe(1);
  });
});

describe('apply', () => {
  it('activates a prepared revision before it returns a promise, and reads nothing', async () => {
    const { reconciler, codeServer, running, stream } = nodeBeside([], []);
    codeServer.prepare(first);
    const outcome = reconciler.apply([headOf('demo', first.revision, 5)]);
    expect(running('demo')).toBe(1);
    expect(await outcome).toEqual({ status: 'ok' });
    expect(stream.bundleReads).toBe(0);
  });

  it('reads the missing bundles, and activates only when all are prepared', async () => {
    const other = bundleOf('other', 'exports.version = 7;');
    const { reconciler, codeServer, running } = nodeBeside([], [other]);
    codeServer.prepare(second);
    const outcome = reconciler.apply([headOf('demo', second.revision, 5), headOf('other', other.revision, 6)]);
    expect(running('demo')).toBeUndefined();
    expect(await outcome).toEqual({ status: 'ok' });
    expect([running('demo'), running('other')]).toEqual([2, 7]);
  });

  it('changes nothing when a bundle can not be found', async () => {
    const { reconciler, running } = nodeBeside([], [first]);
    const heads = [headOf('demo', first.revision, 5), headOf('other', second.revision, 6)];
    expect(await reconciler.apply(heads)).toMatchObject({ status: 'refused', reason: 'nofile' });
    expect(running('demo')).toBeUndefined();
  });

  it('refuses a stored bundle with a wrong revision as badfile', async () => {
    const { reconciler, stream } = nodeBeside([], []);
    stream.fault = new DecodeError('the code is another revision');
    expect(await reconciler.apply([headOf('demo', first.revision, 5)])).toEqual({
      status: 'refused',
      reason: 'badfile',
      detail: 'the code is another revision',
    });
  });

  it('refuses a stored bundle that is not JavaScript as badfile', async () => {
    const broken = bundleOf('demo', 'exports.add = (');
    const { reconciler } = nodeBeside([], [broken]);
    expect(await reconciler.apply([headOf('demo', broken.revision, 5)])).toMatchObject({ reason: 'badfile' });
  });

  it('neither loads nor refuses when the node stops, also when that begins while it reads a bundle', async () => {
    const { reconciler, codeServer, running } = nodeBeside([], [first]);
    const reading = reconciler.apply([headOf('demo', first.revision, 5)]);
    reconciler[Symbol.dispose]();
    expect(await reading).toBeNull();
    codeServer.prepare(second);
    expect(await reconciler.apply([headOf('demo', second.revision, 6)])).toBeNull();
    expect(running('demo')).toBeUndefined();
    expect(codeServer.refusals()).toEqual({});
  });
});
