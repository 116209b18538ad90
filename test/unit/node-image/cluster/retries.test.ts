import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { createReconciler } from '../../../../node-image/src/cluster/reconciler.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import type { Bundle } from '../../../../protocol/bundle.ts';
import type { Head } from '../../../../protocol/head.ts';
import { bundleOf, headOf, recordingLog } from '../../fixtures.ts';

const core = bundleOf('core', 'exports.version = 1; exports.add = () => 1;');
const top = bundleOf('top', 'exports.version = (0, require("hot:core").add)();');
/** A module that loads as soon as a test allows it. */
const moody = bundleOf('moody', `if (!globalThis.isMoodGood) throw new Error('not today'); exports.version = 1;`);
const broken = bundleOf('broken', 'exports.version = (');

/** A node beside a stream in memory, from which a test can take heads and bundles. */
function nodeBeside(heads: readonly Head[], bundles: readonly Bundle[]) {
  const log = recordingLog();
  const codeServer = new CodeServer(log);
  const stream = { heads: [...heads], bundles: [...bundles], fault: null as Error | null };
  const records = {
    heads: async () => stream.heads,
    bundle: async (module: string, revision: string) => {
      if (stream.fault !== null) throw stream.fault;
      return stream.bundles.find(each => each.module === module && each.revision === revision) ?? null;
    },
  };
  const reconciler = createReconciler('fred', codeServer, records, log);
  onTestFinished(() => reconciler[Symbol.dispose]());
  const running = (module: string): unknown => codeServer.current(module)?.exports['version'];
  const messages = (level: string) => log.logged.filter(each => each.level === level).map(({ message }) => message);
  return { reconciler, codeServer, stream, running, messages };
}

const setMood = (isGood: boolean) => Object.assign(globalThis, { isMoodGood: isGood });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  vi.spyOn(Math, 'random').mockReturnValue(0);
  setMood(false);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  Reflect.deleteProperty(globalThis, 'isMoodGood');
});

describe('a refused head', () => {
  it('is tried again after 2, 4, 8, … at most 60 seconds, and its state says so', async () => {
    const { reconciler, running, messages } = nodeBeside([headOf('moody', moody.revision, 5)], [moody]);
    await reconciler.readHeads();
    const delays: (number | undefined)[] = [];
    for (let attempts = 1; attempts <= 7; attempts += 1) {
      const { moody: refusal } = reconciler.refusals();
      expect(refusal).toMatchObject({ sequence: 5, reason: 'on_load_failure', detail: 'Error: not today', attempts });
      delays.push(refusal?.nextAttemptInMs);
      await vi.advanceTimersByTimeAsync(refusal?.nextAttemptInMs ?? 0);
    }
    expect(delays).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    setMood(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(running('moody')).toBe(1);
    expect(reconciler.refusals()).toEqual({});
    expect(messages('error')).toEqual(['refused: it threw while it loaded', 'could not catch up with the stream']);
    expect(messages('warn')).toEqual(Array.from({ length: 7 }, () => 'refused again; trying again later'));
    await vi.advanceTimersByTimeAsync(600_000);
    expect(messages('info')).toEqual(['loaded', 'loaded at try 9']);
  });

  it('is not tried by all nodes at the same time', async () => {
    const { reconciler } = nodeBeside([headOf('moody', moody.revision, 5)], [moody]);
    vi.mocked(Math.random).mockReturnValue(0.5);
    await reconciler.readHeads();
    expect(reconciler.refusals()['moody']?.nextAttemptInMs).toBe(1_750);
  });

  it('is tried again at once when a module is loaded that it imports, also after another one', async () => {
    const over = bundleOf('over', `exports.version = require("hot:top").version + require("hot:core").add();`);
    const { reconciler, codeServer, running } = nodeBeside([], [over, top, core]);
    for (const [index, { module, revision }] of [over, top].entries()) {
      expect(await reconciler.apply([headOf(module, revision, index + 1)])).toMatchObject({ status: 'refused' });
    }
    codeServer.prepare(core);
    codeServer.loadHere(core);
    await vi.advanceTimersByTimeAsync(0);
    expect([running('top'), running('over')]).toEqual([1, 2]);
  });

  it('is loaded with the head that completes a circle with it', async () => {
    const middle = bundleOf('middle', 'exports.version = (0, require("hot:core").add)(); exports.add = () => 2;');
    const over = bundleOf('over', 'exports.version = (0, require("hot:middle").add)();');
    const { reconciler, running } = nodeBeside([], [core, middle, over]);
    const push = [headOf('over', over.revision, 1), headOf('core', core.revision, 1)];
    expect(await reconciler.apply(push)).toMatchObject({ status: 'refused' });
    expect(await reconciler.apply([headOf('middle', middle.revision, 2)])).toEqual({ status: 'ok' });
    expect(['core', 'middle', 'over'].map(running)).toEqual([1, 1, 2]);
    expect(reconciler.refusals()).toEqual({});
    expect(vi.getTimerCount()).toBe(0);
  });

  it('of a commit that comes while the node starts is answered when the node has applied the others', async () => {
    const { reconciler } = nodeBeside([headOf('core', core.revision, 1)], [core, top]);
    const started = reconciler.readHeads();
    expect(await reconciler.apply([headOf('top', top.revision, 2)])).toEqual({ status: 'ok' });
    await started;
  });

  it('of a commit is not answered later than after 2 seconds', async () => {
    const { reconciler, codeServer, stream } = nodeBeside([], []);
    Object.assign(stream, { heads: new Promise(() => undefined) });
    void reconciler.readHeads();
    codeServer.prepare(top);
    const answer = vi.fn<(result: unknown) => void>();
    void reconciler.apply([headOf('top', top.revision, 2)]).then(answer);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(answer).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(answer).toHaveBeenCalledWith(expect.objectContaining({ status: 'refused', reason: 'on_load_failure' }));
  });

  it('is not tried again when it was replaced', async () => {
    const { reconciler, running } = nodeBeside([], [moody]);
    await reconciler.apply([headOf('moody', moody.revision, 5)]);
    await reconciler.apply([headOf('moody', null, 6)]);
    setMood(true);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(running('moody')).toBeUndefined();
    expect(reconciler.refusals()).toEqual({});
    expect(vi.getTimerCount()).toBe(0);
  });

  it('of a set is tried again with the others of the set, but for those that were replaced', async () => {
    const push = [headOf('core', core.revision, 1), headOf('moody', moody.revision, 1), headOf('top', top.revision, 1)];
    const { reconciler, running } = nodeBeside([], [core, moody, top]);
    await reconciler.apply(push);
    await reconciler.apply([headOf('top', null, 2)]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(running('core')).toBeUndefined();
    setMood(true);
    await vi.advanceTimersByTimeAsync(4_000);
    expect([running('core'), running('moody'), running('top')]).toEqual([1, 1, undefined]);
  });

  it('whose bundle is missing is tried with the bundle when the stream has it, also after the stream was away', async () => {
    const { reconciler, running, stream, messages } = nodeBeside([headOf('core', core.revision, 5)], []);
    await reconciler.readHeads();
    expect(reconciler.refusals()).toMatchObject({ core: { reason: 'nofile', attempts: 1 } });
    stream.fault = new Error('no route');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(messages('warn')).toEqual(['the stream could not be read for a retry']);
    Object.assign(stream, { fault: null, bundles: [core] });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(running('core')).toBe(1);
  });

  it('that can not heal is not tried again', async () => {
    const { reconciler } = nodeBeside([headOf('broken', broken.revision, 5)], [broken]);
    await reconciler.readHeads();
    expect(reconciler.refusals()['broken']).toEqual({
      sequence: 5,
      reason: 'badfile',
      detail: expect.stringMatching(/^SyntaxError: /) as unknown,
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not tried again after the node has stopped', async () => {
    const { reconciler } = nodeBeside([headOf('moody', moody.revision, 5)], [moody]);
    await reconciler.readHeads();
    reconciler[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
  });
});
