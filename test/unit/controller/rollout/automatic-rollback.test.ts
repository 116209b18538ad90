import { afterEach, describe, expect, it, vi } from 'vitest';

import { actOnFindings } from '../../../../controller/src/rollout/automatic-rollback.ts';
import { finishAndAudit } from '../../../../controller/src/rollout/commit.ts';
import type { RolloutContext } from '../../../../controller/src/rollout/context.ts';
import type { Finding } from '../../../../controller/src/rollout/findings.ts';
import { MAX_ROLLBACKS_AN_HOUR, RollbackLimit } from '../../../../controller/src/rollout/rollback-limit.ts';
import type { HeadWrite } from '../../../../controller/src/store/heads.ts';
import type { AuditEntry } from '../../../../protocol/history/audit-entry.ts';
import { desiredRevision, type Head } from '../../../../protocol/head.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { headOf, recordingLog } from '../../fixtures.ts';

const [one = '', two = ''] = ['a', 'b'].map(digit => digit.repeat(64));

const finding = (node: string, cause: Finding['cause'] = 'stalled'): Finding => ({ node, cause, detail: 'it did' });

/** A controller whose stream has these heads, the oldest first, and a fleet that does not answer. */
function controllerOf(...heads: Head[]) {
  let now = 0;
  const limit = new RollbackLimit(() => now);
  const written = [...heads];
  const history = async (module: string) => written.filter(head => head.module === module);
  const last = (module: string) => written.findLast(head => head.module === module) ?? null;
  const store = {
    history,
    heads: async () => [...new Set(written.map(({ module }) => module))].flatMap(module => last(module) ?? []),
    lastHead: async (module: string) => ({ head: last(module), position: 1 }),
    historyToLast: async (module: string) => ({
      history: await history(module),
      last: { head: last(module), position: 1 },
    }),
    writeHeads: async (writes: readonly HeadWrite[]) => written.push(...writes.map(({ head }) => head)) > 0,
    highestSequence: (module: string) => last(module)?.sequence ?? 0,
    noteHead: () => undefined,
    writeHeadResult: async () => undefined,
    signHead: () => new Uint8Array(),
  };
  const nats = { publish: () => undefined, subscribe: () => ({ unsubscribe: () => undefined }) };
  const audited: AuditEntry[] = [];
  const audit = { write: async (entry: AuditEntry) => void audited.push(entry) };
  const traced: string[] = [];
  const trace: RolloutContext['trace'] = (command, of) => ({
    onAnswer: () => undefined,
    end: commit =>
      void traced.push(`${command} ${of.map(({ module }) => module).join()}: ${'outcome' in commit && commit.outcome}`),
  });
  const rest = { audit, subjects: subjectsOf('dino'), packagesTimeoutMs: 1, trace };
  const context = { nats, store, ...rest } as unknown as RolloutContext;
  const audience = async () => ({ expected: new Set<string>(), timeoutMs: 1 });
  return {
    last,
    /** Lets time go by (milliseconds). */
    wait: (ms: number): void => void (now += ms),
    /** Writes a head, as an operator does. */
    write: (head: Head): void => void written.push(head),
    audited,
    traced,
    finish: (...unfinished: Head[]) => finishAndAudit(context, unfinished, audience),
    /** What the findings of these nodes about a module's last head lead to. */
    act: async (module: string, isConfirmed: boolean, ...findings: Finding[]): Promise<Head | null> => {
      const head = last(module);
      const accused = head === null ? [] : [{ head, findings, isConfirmed }];
      await actOnFindings(context, accused, { audience, limit, log: recordingLog() });
      return last(module);
    },
  };
}

const runningOn = (head: Head | null) =>
  ['fred', 'betty'].map(node => (head === null ? null : desiredRevision(head, node)));

it('what the controller does by itself is traced, if anything is', async () => {
  const { act, traced } = controllerOf(headOf('demo', one, 1), headOf('demo', two, 2));
  await act('demo', false, finding('fred'));
  await act('demo', true, finding('fred'), finding('betty'));
  expect(traced).toEqual(['quarantine demo: committed', 'rollback (watchdog) demo: committed']);
});

describe('what one node says alone', () => {
  it('keeps it off the revision, and nobody else, with the true cause', async () => {
    const { act } = controllerOf(headOf('demo', one, 1), headOf('demo', two, 2));
    const head = await act('demo', false, finding('fred', 'memory'));
    expect(runningOn(head)).toEqual([one, two]);
    expect(head).toMatchObject({ revision: two, quarantine: true, repeats: true, cause: null, author: 'hotcast' });
    expect(head?.note).toBe('quarantined, memory on fred: bbbbbbbbbbbb');
  });

  it('keeps it off all modules that were pushed together', async () => {
    const push = 'together';
    const heads = ['demo', 'counter'].map(module => ({ ...headOf(module, two, 2), push }));
    const { act, last } = controllerOf(headOf('demo', one, 1), headOf('counter', one, 1), ...heads);
    const head = await act('demo', false, finding('fred'));
    expect(runningOn(last('counter'))).toEqual([one, two]);
    expect(last('counter')?.push).toBe(head?.push);
  });
});

describe('what is confirmed', () => {
  it('makes every node go back, and is remembered as bans', async () => {
    const { act } = controllerOf(headOf('demo', one, 1), headOf('demo', two, 2));
    await act('demo', false, finding('fred', 'memory'));
    const head = await act('demo', true, finding('betty'));
    expect(runningOn(head)).toEqual([one, one]);
    expect(head).toMatchObject({ cause: 'watchdog', note: 'stalled on betty: rolled back from bbbbbbbbbbbb' });
    expect(head?.keptOff.map(({ node, cause }) => [node, cause])).toEqual([
      ['fred', 'memory'],
      ['betty', 'stalled'],
    ]);
  });

  it('never leaves a module without a revision', async () => {
    const { act } = controllerOf(headOf('demo', two, 2));
    const head = await act('demo', true, finding('fred'));
    expect(head).toMatchObject({ revision: two, quarantine: true });
    expect(runningOn(head)).toEqual([null, two]);
  });

  const HOUR_MS = 3_600_000;

  /** Pushes a bad revision so often, one minute apart, and returns the revisions that the findings of two nodes leave. */
  async function revisionsLeft(times: number, at: (time: number) => number = () => Date.now()) {
    const { act, write, wait, last } = controllerOf({ ...headOf('demo', one, 1), at: at(0) });
    const push = async (revision: string): Promise<Head | null> => {
      write({ ...headOf('demo', revision, (last('demo')?.sequence ?? 0) + 1), at: Date.now() });
      wait(60_000);
      return act('demo', true, finding('fred'));
    };
    const left: (string | null | undefined)[] = [];
    for (let time = 1; time <= times; time += 1) {
      vi.setSystemTime(at(time));
      left.push((await push(String(time).repeat(64).slice(0, 64)))?.revision);
    }
    return { left, push, wait };
  }

  afterEach(() => void vi.useRealTimers());

  it.each<[string, (time: number) => number]>([
    ['', () => 1_700_000_000_000],
    [' when its clock jumps two hours ahead each time', time => 1_700_000_000_000 + time * 2 * HOUR_MS],
    [' when its clock goes back each time', time => 1_700_000_000_000 - time * 2 * HOUR_MS],
  ])('rolls a module back a few times in an hour at most%s', async (_, at) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { left, push, wait } = await revisionsLeft(MAX_ROLLBACKS_AN_HOUR + 1, at);
    expect(left).toEqual([one, one, one, '4'.repeat(64)]);
    wait(HOUR_MS);
    expect((await push('9'.repeat(64)))?.cause).toBe('watchdog');
  });

  it('counts a rollback for an hour, also while its head is the newest', () => {
    let now = 0;
    const limit = new RollbackLimit(() => now);
    const heads = [1, 2, 3].map(sequence => ({ ...headOf('demo', one, sequence), cause: 'watchdog' as const }));
    for (const head of heads) limit.observe([head]);
    expect(limit.isReached(heads)).toBe(true);
    for (now = 0; now <= 2 * HOUR_MS; now += HOUR_MS / 4) limit.observe(heads.slice(-1));
    expect(limit.isReached([...heads, ...heads.slice(-1), ...heads.slice(-1)])).toBe(false);
  });

  it('takes the rollbacks that an earlier controller has written for new, for an hour', async () => {
    const back = { cause: 'watchdog' as const, revertOf: 'x', at: 0 };
    const before = Array.from({ length: MAX_ROLLBACKS_AN_HOUR }, (_, index) => headOf('demo', one, index + 1));
    const heads = [...before.map(head => ({ ...head, ...back })), headOf('demo', two, 9)];
    expect(await controllerOf(...heads).act('demo', true, finding('fred'))).toMatchObject({ quarantine: true });
    const later = controllerOf(...heads);
    later.wait(HOUR_MS);
    expect(await later.act('demo', true, finding('fred'))).toMatchObject({ revision: one, cause: 'watchdog' });
  });
});

describe('the audit', () => {
  it('has what the controller did by itself, with the cause', async () => {
    const { act, finish, audited } = controllerOf(headOf('demo', one, 1), headOf('demo', two, 2));
    await act('demo', false, finding('fred', 'memory'));
    await act('demo', true, finding('fred'), finding('betty'));
    await finish({ ...headOf('demo', one, 5), author: 'wilma', note: 'push', push: 'the push' });
    expect(audited.map(({ author, command, detail }) => [author, command, detail])).toEqual([
      ['hotcast', 'quarantine', 'quarantined, memory on fred: bbbbbbbbbbbb'],
      ['hotcast', 'rollback (watchdog)', 'stalled on fred, betty: rolled back from bbbbbbbbbbbb'],
      ['hotcast', 'finish', 'push by wilma, whose controller ended before the result'],
    ]);
    expect(audited.at(-1)).toMatchObject({ change: 'the push', modules: [{ module: 'demo', revision: one }] });
  });
});
