import { describe, expect, it, onTestFinished } from 'vitest';

import { CanaryMonitor } from '../../../../controller/src/rollout/canary-monitor.ts';
import type { Head } from '../../../../protocol/head.ts';
import type { NodeDescription } from '../../../../protocol/messages.ts';
import { shortRevision } from '../../../../protocol/revision.ts';
import { descriptionOf, headOf, moduleStateOf, recordingLog } from '../../fixtures.ts';

const OLD = 'a'.repeat(64);
const NEW = 'c'.repeat(64);
const FLEET = new Set(['fred', 'betty', 'wilma']);

/** The head of a canary on fred. */
function canaryHead(module = 'demo', sequence = 1): Head {
  const scope = { type: 'names' as const, names: ['fred'] };
  return { ...headOf(module, OLD, sequence), canary: { revision: NEW, manifest: null, scope, maxErrors: 0 } };
}

/** The rollback of a canary by the controller. */
const rolledBack = (head: Head): Head => ({
  ...headOf(head.module, OLD, head.sequence + 1),
  revertOf: head.push,
  cause: 'canary',
  note: 'automatic rollback: a reason',
});

/** fred, on the canary's revision. */
const fred = (calls = 0, errors = 0, more: Partial<NodeDescription> = {}): NodeDescription => ({
  ...descriptionOf('fred', { demo: { ...moduleStateOf(NEW, 1), calls, errors } }),
  ...more,
});

/** A monitor of fred, with what NATS and the stream say when they are asked. */
function monitored() {
  let onEvent = (_kind: string, _description: NodeDescription): void => undefined;
  const answers: NodeDescription[] = [fred()];
  const heads: Head[] = [];
  const held: string[] = [];
  const client = new AbortController();
  const monitor = new CanaryMonitor({
    membership: { present: () => [descriptionOf('fred')], onEvent: callback => void (onEvent = callback) },
    rollBack: async head => void heads.push(rolledBack(head)),
    heads: async () => heads,
    describe: async names => answers.filter(({ node }) => names.has(node)),
    log: recordingLog(),
  });
  onTestFinished(() => monitor[Symbol.dispose]());
  const watch = (minCalls: number, timeMs = 30, watched: readonly Head[] = [canaryHead()]) =>
    monitor.watch(
      watched,
      { timeMs, minCalls, fleet: FLEET, timeoutMs: 1_000 },
      {
        report: () => undefined,
        signal: client.signal,
        holds: line => void held.push(line),
      },
    );
  return {
    monitor,
    watch,
    answers,
    heads,
    held,
    client,
    tell: (kind: string, node: NodeDescription) => onEvent(kind, node),
  };
}

const ENDS = 'hotcast promote demo, or hotcast rollback demo';

describe('a watched canary', () => {
  it.each([
    [0, 1, 'undecided'],
    [0, 0, 'passed'],
    [9, 10, 'undecided'],
    [10, 10, 'passed'],
  ] as const)('whose nodes took %i calls is, with at least %i wanted, %s', async (calls, minCalls, status) => {
    const { watch, answers } = monitored();
    answers[0] = fred(calls);
    expect((await watch(minCalls)).status).toBe(status);
  });

  it('that passed says where it ran and what was seen', async () => {
    const { watch, answers } = monitored();
    answers[0] = fred(1_204);
    expect((await watch(1)).detail).toMatch(
      /^canary of demo on 1 of 3 nodes passed: 1,204 calls, 0 errors in \d+\.\d s; everywhere with: hotcast promote demo; back with: hotcast rollback demo$/,
    );
  });

  it('that took no call says that nothing was tested, also when it passed', async () => {
    expect((await monitored().watch(0)).detail).toMatch(
      / passed: 0 calls, 0 errors in \d+\.\d s: nothing was tested; /,
    );
    const { detail } = await monitored().watch(1);
    expect(detail).toContain(': nothing was tested; fewer than 1 call (--min-calls); it stays open: wait, or ');
    expect(detail.endsWith(ENDS)).toBe(true);
  });

  it('is undecided when one of its nodes does not answer at the end, whatever it took before', async () => {
    const { watch, answers, tell } = monitored();
    answers.length = 0;
    const watched = watch(1);
    tell('heartbeat', fred(5));
    expect(await watched).toMatchObject({
      status: 'undecided',
      detail: expect.stringMatching(/ on 0 of 3 nodes undecided: 5 calls, .* no answer from fred; /) as string,
    });
  });

  it('counts the calls of a node that stopped cleanly; without a node it is undecided', async () => {
    const { watch, answers, tell } = monitored();
    answers.length = 0;
    const watched = watch(1);
    tell('heartbeat', fred(5));
    tell('goodbye', fred(5));
    expect(await watched).toMatchObject({
      status: 'undecided',
      detail: expect.stringMatching(/undecided: 5 calls, .* s; no node runs it; it stays open/) as string,
    });
  });

  it.each([
    ['a call failed', fred(3, 1), '1 of 3 calls failed'],
    ['its node is another process', fred(0, 0, { startedAt: 9 }), 'fred died and was started again'],
  ])('fails when it is seen only at the end that %s', async (_, answer, reason) => {
    const { watch, answers, held } = monitored();
    answers[0] = answer;
    expect(await watch(0)).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(new RegExp(`^rolled back: demo: ${reason}; \\d+ calls?, `)) as string,
    });
    expect(held.at(-1)).toBe(`the canary failed and is being rolled back: demo: ${reason}`);
  });

  it('fails with the first call too many, before the time is over', async () => {
    const { watch, tell } = monitored();
    const watched = watch(100, 60_000);
    tell('heartbeat', fred(1, 1));
    expect((await watched).status).toBe('failed');
  });

  it('fails when another controller has rolled it back', async () => {
    const { watch, heads } = monitored();
    heads.push(rolledBack(canaryHead()));
    expect(await watch(0)).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('rolled back: automatic rollback: a reason; ') as string,
    });
  });

  it.each<[string, Partial<Head>, string]>([
    ['a push', { revision: 'd'.repeat(64) }, `push of demo@${'d'.repeat(12)}`],
    ['another canary', { canary: canaryHead().canary, note: 'canary on 2' }, `canary on 2 of demo@${'c'.repeat(12)}`],
    ['a removal', { revision: null, note: 'remove' }, 'remove of demo'],
    [
      'a rollback that an operator asked for',
      { note: 'rollback', cause: 'operator', revertOf: 'push 1' },
      'rollback of',
    ],
  ])('is superseded, and not rolled back, by %s', async (_, fields, what) => {
    const { watch, monitor } = monitored();
    const watched = watch(0, 60_000);
    monitor.observe([{ ...headOf('demo', OLD, 2), ...fields }]);
    expect(await watched).toMatchObject({
      status: 'superseded',
      detail: expect.stringMatching(new RegExp(`^superseded by: ${what}.*, by wilma at 2023-.*Z; 0 calls`)) as string,
    });
  });

  it('is superseded also when that was written just before the end, or before the watch began', async () => {
    const late = monitored();
    late.heads.push(headOf('demo', OLD, 2));
    expect((await late.watch(0)).status).toBe('superseded');

    const early = monitored();
    early.monitor.observe([canaryHead('demo', 2)]);
    expect((await early.watch(0, 60_000)).status).toBe('superseded');
  });

  it('that failed, and whose place another push took before the rollback, is superseded', async () => {
    const { watch, answers, heads, monitor } = monitored();
    answers[0] = fred(1, 1);
    heads.push(headOf('demo', OLD, 2));
    const watched = watch(0, 60_000);
    monitor.observe(heads);
    expect((await watched).status).toBe('superseded');
  });

  it('says to a client that goes which revision is where, and ends the watch only', async () => {
    const { watch, held, client, monitor } = monitored();
    const watched = watch(0, 60_000);
    client.abort(new Error('the client has gone'));
    await expect(watched).rejects.toThrow('the client has gone');
    const [tried, kept] = [NEW, OLD].map(shortRevision);
    expect(held).toEqual([
      `the canary of demo stays open: demo@${tried} on fred, demo@${kept} on the other 2; ` +
        'the controller rolls it back if it fails; end it with: hotcast promote demo, or: hotcast rollback demo',
    ]);
    expect(monitor.isCanaryOpen).toBe(true);
  });
});
