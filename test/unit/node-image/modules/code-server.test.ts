import { describe, expect, it } from 'vitest';

import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { MAX_MODULES } from '../../../../protocol/limits.ts';
import { bundleOf, headOf, moduleStateOf, recordingLog } from '../../fixtures.ts';

/** The traces that the modules of these tests leave; they run in this realm. */
const traces: string[] = [];
Object.assign(globalThis, { __traces: traces });

const leaving = (trace: string) => `__traces.push(${JSON.stringify(trace)});`;
const answering = (value: unknown) => `exports.answer = () => ${JSON.stringify(value)};`;

const counting = (step: number) =>
  `const { data } = __hotcast_hot; data.count = (data.count ?? 0) + ${step}; exports.answer = () => data.count;`;

type Source = readonly [module: string, code: string];

/** A code server with these modules prepared, and the heads that would make them run. */
function prepared(...modules: readonly Source[]) {
  traces.length = 0;
  const log = recordingLog();
  const server = new CodeServer(log);
  const bundles = modules.map(([module, code]) => bundleOf(module, code));
  const outcomes = bundles.map(bundle => server.prepare(bundle));
  const heads = bundles.map(({ module, revision }, index) => headOf(module, revision, 100 + index));
  return { server, log, bundles, outcomes, heads };
}

/** Like {@link prepared}, with the first module committed. */
function running(...modules: readonly Source[]) {
  const { heads, bundles, ...rest } = prepared(...modules);
  const outcome = rest.server.commit(heads.slice(0, 1));
  if (outcome.status === 'refused') throw new Error(outcome.detail);
  return { ...rest, heads: heads.slice(1), bundles };
}

function answerOf(server: CodeServer, module: string): unknown {
  const answer = server.current(module)?.exports['answer'];
  return typeof answer === 'function' ? (Reflect.apply(answer, undefined, []) as unknown) : undefined;
}

describe('prepare', () => {
  it('runs nothing', () => {
    const { server, outcomes } = prepared(['demo', leaving('ran')]);
    expect(outcomes).toEqual([{ status: 'ok' }]);
    expect(traces).toEqual([]);
    expect(server.current('demo')).toBeNull();
    expect(server.describe()).toEqual({});
  });

  it('does not change the running version', () => {
    const { server } = running(['demo', answering(1)], ['demo', answering(2)]);
    expect(answerOf(server, 'demo')).toBe(1);
  });

  it('refuses code that is not JavaScript as badfile', () => {
    const { outcomes, server, bundles } = prepared(['demo', 'exports.add = (']);
    expect(outcomes).toEqual([
      { status: 'refused', reason: 'badfile', detail: expect.stringMatching(/^SyntaxError: /) as string },
    ]);
    expect(server.isPrepared('demo', bundles[0]?.revision ?? '')).toBe(false);
  });

  it('keeps four compiled revisions of a module, the newest', () => {
    const { server, bundles } = prepared(...[1, 2, 3, 4, 5].map(n => ['demo', answering(n)] as const));
    expect(bundles.map(({ revision }) => server.isPrepared('demo', revision))).toEqual([false, true, true, true, true]);
  });

  it('counts a revision that is prepared again as the newest', () => {
    const { server, bundles } = prepared(...[1, 2, 3, 4, 1, 5].map(n => ['demo', answering(n)] as const));
    expect(bundles.map(({ revision }) => server.isPrepared('demo', revision))).toEqual([
      true,
      false,
      true,
      true,
      true,
      true,
    ]);
  });
});

describe('a node with the maximum number of modules', () => {
  const full = (): CodeServer => {
    const server = new CodeServer(recordingLog());
    for (let index = 0; index < MAX_MODULES; index += 1) {
      const bundle = bundleOf(`m${index}`, answering(index));
      server.prepare(bundle);
      expect(server.loadHere(bundle).status).toBe('ok');
    }
    return server;
  };

  it('refuses one more, and accepts the next version of a module that it has', () => {
    const server = full();
    expect(server.prepare(bundleOf('more', answering(0)))).toMatchObject({ reason: 'system_limit' });
    const next = bundleOf('m7', answering('next'));
    expect([server.prepare(next).status, server.loadHere(next).status]).toEqual(['ok', 'ok']);
  });
});

describe('commit', () => {
  it('activates all modules of a set in one turn', () => {
    const { server, heads } = prepared(['demo', answering('a')], ['other', answering('b')]);
    expect(server.commit(heads)).toEqual({ status: 'ok' });
    expect([answerOf(server, 'demo'), answerOf(server, 'other')]).toEqual(['a', 'b']);
  });

  it('activates none of a set when one throws while it loads', () => {
    const { server, heads } = running(
      ['demo', answering('old')],
      ['demo', answering('new')],
      ['other', `throw new RangeError('not today')`],
    );
    expect(server.commit(heads)).toEqual({
      status: 'refused',
      reason: 'on_load_failure',
      detail: 'RangeError: not today',
    });
    expect(answerOf(server, 'demo')).toBe('old');
    expect(server.current('other')).toBeNull();
    expect(server.describe()['demo']?.sequence).toBe(100);
  });

  it('runs nothing of a set when one is not prepared', () => {
    const { server, heads } = prepared(['demo', leaving('ran')]);
    const missing = headOf('other', 'f'.repeat(64), 7);
    expect(server.commit([...heads, missing])).toEqual({
      status: 'refused',
      reason: 'nofile',
      detail: 'other@ffffffffffff is not prepared',
    });
    expect(traces).toEqual([]);
  });

  it('refuses a head whose bundle is missing, and applies it when it is tried again with the bundle', () => {
    const { server, bundles } = prepared();
    const late = bundleOf('demo', answering(1));
    expect(server.commit([headOf('demo', late.revision, 5)]).status).toBe('refused');
    expect(server.refusals()).toMatchObject({ demo: { sequence: 5, reason: 'nofile' } });
    server.prepare(late);
    expect(server.retry([headOf('demo', late.revision, 5)])).toEqual({ status: 'ok' });
    expect(server.refusals()).toEqual({});
    expect(bundles).toEqual([]);
  });

  it('does not try a head again that threw while it loaded, and returns the same result', () => {
    const { server, heads } = prepared(['demo', `${leaving('tried')} throw new Error('no');`]);
    expect(server.commit(heads).status).toBe('refused');
    expect(server.headSeen('demo')).toBe(100);
    expect(server.commit(heads)).toMatchObject({ status: 'refused', reason: 'on_load_failure' });
    expect(traces).toEqual(['tried']);
  });

  it('applies the same head once', () => {
    const { server, heads } = prepared(['demo', leaving('ran')]);
    expect([server.commit(heads), server.commit(heads)]).toEqual([{ status: 'ok' }, { status: 'ok' }]);
    expect(traces).toEqual(['ran']);
  });

  it('refuses a head that is older than one it has seen', () => {
    const { server, bundles } = running(['demo', answering('new')], ['demo', answering('old')]);
    const outdated = headOf('demo', bundles[1]?.revision ?? '', 99);
    expect(server.commit([outdated])).toMatchObject({ status: 'refused', reason: 'outdated' });
    expect(answerOf(server, 'demo')).toBe('new');
  });

  it('activates none of a set with an outdated head in it', () => {
    const { server, bundles } = running(['demo', answering('new')], ['other', answering('b')]);
    const set = [headOf('other', bundles[1]?.revision ?? '', 200), headOf('demo', bundles[0]?.revision ?? '', 99)];
    expect(server.commit(set)).toMatchObject({ reason: 'outdated' });
    expect(server.current('other')).toBeNull();
    expect(server.headSeen('other')).toBe(0);
  });

  it('does not load a running revision again, and records the new head', () => {
    const { server, bundles } = running(['demo', leaving('ran')]);
    server.commit([headOf('demo', bundles[0]?.revision ?? '', 200)]);
    expect(traces).toEqual(['ran']);
    expect(server.describe()['demo']?.sequence).toBe(200);
  });

  it('rolls back without the bundle to a revision that is still compiled', () => {
    const { server, bundles, heads } = running(['demo', answering(1)], ['demo', answering(2)]);
    server.commit(heads);
    expect(answerOf(server, 'demo')).toBe(2);
    expect(server.commit([headOf('demo', bundles[0]?.revision ?? '', 300)])).toEqual({ status: 'ok' });
    expect(answerOf(server, 'demo')).toBe(1);
  });

  it('names the module and the revision in the log, loaded or refused', () => {
    const { server, log, heads, bundles } = running(['demo', answering(1)], ['demo', `throw new Error('no')`]);
    server.commit(heads);
    const [good, bad] = bundles.map(({ revision }) => ({ module: 'demo', revision: revision.slice(0, 12) }));
    expect(log.logged).toMatchObject([
      { level: 'info', fields: { ...good } },
      {
        level: 'error',
        fields: { ...bad, err: { type: 'Error', message: 'no', stack: `Error: no\n    at demo@${bad?.revision}:1:7` } },
      },
    ]);
  });
});

describe('commit of a removal', () => {
  it('leaves nothing for new calls', () => {
    const { server } = running(['demo', answering(1)]);
    expect(server.commit([headOf('demo', null, 200)])).toEqual({ status: 'ok' });
    expect(server.current('demo')).toBeNull();
    expect(server.describe()).toEqual({});
    expect(server.headSeen('demo')).toBe(200);
  });

  it('remembers its head, so that an older one does not bring the module back', () => {
    const { server, bundles } = running(['demo', answering(1)]);
    server.commit([headOf('demo', null, 200)]);
    expect(server.commit([headOf('demo', bundles[0]?.revision ?? '', 150)])).toMatchObject({ reason: 'outdated' });
    expect(server.current('demo')).toBeNull();
  });

  it('is applied when the module was never loaded', () => {
    const { server } = prepared();
    expect(server.commit([headOf('demo', null, 7)])).toEqual({ status: 'ok' });
    expect(server.headSeen('demo')).toBe(7);
  });
});

describe('import.meta.hot.data', () => {
  it('survives a swap', () => {
    const { server, heads } = running(['demo', counting(1)], ['demo', counting(10)]);
    server.commit(heads);
    expect(answerOf(server, 'demo')).toBe(11);
  });

  it('belongs to one module', () => {
    const { server, heads } = running(['demo', counting(1)], ['other', counting(10)]);
    server.commit(heads);
    expect([answerOf(server, 'demo'), answerOf(server, 'other')]).toEqual([1, 10]);
  });

  it('is restored after a version changed it and threw while it loaded', () => {
    const spoiling = `const { data } = __hotcast_hot; data.count = 99; data.more = 1; delete data.kept; throw new Error('no');`;
    const { server, heads } = running(
      [
        'demo',
        `__hotcast_hot.data.kept = 'yes'; exports.answer = () => ({ ...__hotcast_hot.data }); ${counting(1).split('exports')[0]}`,
      ],
      ['demo', spoiling],
    );
    expect(server.commit(heads).status).toBe('refused');
    expect(answerOf(server, 'demo')).toEqual({ kept: 'yes', count: 1 });
  });

  it('is restored in every module of a set when one of them threw', () => {
    const { server, heads } = running(
      ['demo', counting(1)],
      ['demo', counting(10)],
      ['other', `throw new Error('no')`],
    );
    expect(server.commit(heads).status).toBe('refused');
    expect(answerOf(server, 'demo')).toBe(1);
  });
});

describe('loadHere', () => {
  it('runs a revision without a head: its sequence is 0', () => {
    const { server, bundles } = prepared(['demo', answering(1)]);
    const [bundle] = bundles;
    expect(server.loadHere({ module: 'demo', revision: bundle?.revision ?? '' })).toEqual({ status: 'ok' });
    expect(answerOf(server, 'demo')).toBe(1);
    expect(server.describe()).toEqual({ demo: moduleStateOf(bundle?.revision ?? '', 0) });
  });

  it('runs until an unseen head replaces it', () => {
    const { server, bundles, heads } = running(['demo', answering('fleet')], ['demo', answering('here')]);
    server.loadHere({ module: 'demo', revision: bundles[1]?.revision ?? '' });
    server.commit([headOf('demo', bundles[0]?.revision ?? '', 100)]); // Seen before: it was running already.
    expect(answerOf(server, 'demo')).toBe('here');
    server.commit([headOf('demo', bundles[0]?.revision ?? '', 200)]);
    expect(answerOf(server, 'demo')).toBe('fleet');
    expect(server.describe()['demo']?.sequence).toBe(200);
    expect(heads).toHaveLength(1);
  });

  it('refuses a revision that is not prepared, and names it', () => {
    const { server } = prepared();
    expect(server.loadHere({ module: 'demo', revision: 'a'.repeat(64) })).toEqual({
      status: 'refused',
      reason: 'nofile',
      detail: 'demo@aaaaaaaaaaaa is not prepared',
    });
  });
});

describe('memory', () => {
  const MB = 2 ** 20;

  /** A code server with so much memory left (MB), and bundles that need some. */
  function withMemory(leftMb: number) {
    const asked: number[] = [];
    const memoryShortage = (bytes: number): string | null => {
      asked.push(bytes / MB);
      return bytes > leftMb * MB ? `it needs ${bytes / MB} MB` : null;
    };
    const server = new CodeServer(recordingLog(), { memoryShortage });
    const bundle = (module: string, value: number, needMb: number) => {
      const made = { ...bundleOf(module, answering(value)), memoryBytes: needMb * MB };
      server.prepare(made);
      return made;
    };
    return { server, asked, bundle };
  }

  it('is asked for what a new module needs, and by what a revision needs more than the current one', () => {
    const { server, asked, bundle } = withMemory(100);
    const one = bundle('demo', 1, 40);
    expect(server.checkMemory(one)).toBeNull();
    server.commit([headOf('demo', one.revision, 1)]);
    expect(server.checkMemory(bundle('demo', 2, 50))).toBeNull();
    expect(server.checkMemory(bundle('demo', 3, 30))).toBeNull();
    expect(asked).toEqual([40, 40, 10]);
  });

  it('that is short refuses a push, and what was committed together is one sum', () => {
    const { server, bundle } = withMemory(50);
    const shop = bundle('shop', 1, 30);
    const web = bundle('web', 1, 30);
    const refusal = { status: 'refused', reason: 'system_limit', detail: 'it needs 60 MB' };
    expect(server.commit([headOf('shop', shop.revision, 1), headOf('web', web.revision, 2)])).toEqual(refusal);
    expect(server.describe()).toEqual({});
    expect(server.checkMemory(bundle('large', 1, 60))).toMatchObject(refusal);
    expect(server.commit([headOf('shop', shop.revision, 3)])).toEqual({ status: 'ok' });
  });

  it.each([{ force: true }, { makeRoom: true }, { revert: true }])('that is short does not refuse %o', option => {
    const { server, bundle } = withMemory(50);
    const { revision } = bundle('demo', 1, 60);
    expect(server.commit([{ ...headOf('demo', revision, 1), ...option }])).toEqual({ status: 'ok' });
  });
});
